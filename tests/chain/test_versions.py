"""Rules of a chain: scheduled ones wait for their epoch, and what administrators set outlives them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.chain import versions
from lucid.chain.codec import decode, encode
from lucid.chain.genesis import Activation
from lucid.chain.versions import FIRST_RULES, RULES_KNOWN, ChainRules, first_rules
from tests.strategies import values

numbers = st.integers(1, 99)
heights = st.integers(0, 2**53)


@settings(max_examples=40)
@given(numbers, heights, heights, st.integers(1, 64))
def test_an_epoch_opens_under_new_rules_from_their_height_on(version: int, due: int, height: int, factor: int) -> None:
    before = ChainRules(1, version + 1, due, factor)
    after = before.opening(height)
    if height < due:
        assert after is before
    else:
        assert after == ChainRules(version + 1, 0, 0, factor), "in force, nothing scheduled, the copies as they were"


@settings(max_examples=40)
@given(values(ChainRules), heights)
def test_what_is_in_force_does_not_come_into_force_again(rules: ChainRules, height: int) -> None:
    opened = rules.opening(height)
    assert opened.opening(height) == opened and opened.replication_factor == rules.replication_factor
    plain = ChainRules(rules.version, replication_factor=rules.replication_factor)
    assert plain.opening(height) is plain, "nothing is scheduled"


@settings(max_examples=40)
@given(values(ChainRules), numbers, heights)
def test_scheduling_replaces_what_was_and_changes_nothing_that_is_in_force(
    rules: ChainRules, version: int, height: int
) -> None:
    planned = rules.scheduling(version, height)
    assert (planned.version, planned.replication_factor) == (rules.version, rules.replication_factor)
    assert (planned.next_version, planned.next_height) == (version, height)
    off = planned.scheduling(0, 0)
    assert off.opening(2**60) is off, "what is called off never comes"
    assert decode(encode(planned), ChainRules) == planned


def test_a_chain_begins_with_the_first_rules_or_those_of_its_genesis_document() -> None:
    assert first_rules(None) == ChainRules() and ChainRules().version == FIRST_RULES
    assert first_rules(Activation(3)) == ChainRules(3), "from the first block on"
    assert first_rules(Activation(3, 1)) == ChainRules(3)
    assert first_rules(Activation(3, 2)) == ChainRules(FIRST_RULES, 3, 2)


def test_this_release_knows_its_own_rules() -> None:
    named = [value for name, value in vars(versions).items() if name.endswith("_RULES")]
    assert sorted(named) == list(range(FIRST_RULES, RULES_KNOWN + 1)), "each version has a name, and the last is known"
