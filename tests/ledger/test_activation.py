"""Rules that change at a height: scheduled by administrators or the genesis document, in force with an epoch.

`Chain.verdict` asks a leader and a judge and checks that they agree and that a refused transaction changes nothing.
An epoch of these chains has 12 views.
"""

from __future__ import annotations

import pytest

from lucid.chain.codec import decode, encode
from lucid.chain.document import parse_genesis, print_genesis
from lucid.chain.errors import Code, GenesisError
from lucid.chain.genesis import Activation, decode_genesis
from lucid.chain.versions import FIRST_RULES, REPLICATION_RULES, RULES_KNOWN, ChainRules
from lucid.ledger.rows import RULES_KEY
from lucid.ledger.state import stored_ledger
from tests.builders import Chain, grown, make_genesis

EPOCH_VIEWS = 12


def row(chain: Chain) -> ChainRules | None:
    """What the tip's row of rules says."""
    data = chain.tip.row(RULES_KEY)
    return None if data is None else decode(data, ChainRules)


def test_a_chain_that_nobody_told_of_rules_has_no_row_of_them() -> None:
    chain = grown(EPOCH_VIEWS + 2)
    assert row(chain) is None
    assert chain.tip.core.rules == ChainRules()


@pytest.mark.parametrize(
    ("version", "ahead", "code"),
    [
        (2, EPOCH_VIEWS, None),
        (7, EPOCH_VIEWS, None),
        (2, 2**50, None),
        (2, EPOCH_VIEWS - 1, Code.TX_ACTIVATION),
        (2, 0, Code.TX_ACTIVATION),
        (1, EPOCH_VIEWS, Code.TX_ACTIVATION),
        (0, EPOCH_VIEWS, Code.TX_ACTIVATION),
    ],
)
def test_what_may_be_scheduled(version: int, ahead: int, code: Code | None) -> None:
    chain = grown(3)
    assert chain.verdict(chain.schedule(version, 4 + ahead, 0)) is code


def test_only_what_is_scheduled_is_called_off() -> None:
    chain = grown(3)
    assert chain.verdict(chain.schedule(0, 0, 0)) is Code.TX_ACTIVATION
    assert chain.verdict(chain.schedule(0, 0, 1), chain.schedule(2, 40, 0)) is None
    chain.grow(chain.schedule(2, 40, 0), chain.schedule(0, 0, 1))
    assert row(chain) is None
    assert chain.tip.core.roster.sequence == 2
    chain.grow(chain.schedule(2, 40, 2))
    assert row(chain) == ChainRules(next_version=2, next_height=40)
    chain.grow(chain.schedule(0, 0, 3))
    assert row(chain) is None
    assert chain.tip.core.rules == ChainRules()


def test_another_schedule_takes_the_place_of_the_one_before() -> None:
    chain = grown(3)
    chain.grow(chain.schedule(2, 40, 0), chain.schedule(3, 30, 1))
    assert row(chain) == ChainRules(next_version=3, next_height=30)


def test_rules_hold_from_the_first_epoch_that_opens_at_their_height() -> None:
    chain = Chain()
    chain.grow(chain.schedule(REPLICATION_RULES, 14, 0))
    in_force = []
    for _ in range(2 * EPOCH_VIEWS + 2):
        chain.grow()
        in_force.append((chain.tip.core.head.height, chain.tip.core.head.epoch, chain.tip.core.rules.version))
    # Block 13 opens epoch 1, one too early; 25 opens epoch 2.
    assert next(height for height, _, version in in_force if version == REPLICATION_RULES) == 25
    assert {epoch for _, epoch, version in in_force if version == FIRST_RULES} == {0, 1}
    assert row(chain) == ChainRules(version=REPLICATION_RULES)


def test_a_height_at_which_an_epoch_opens_is_the_first_of_the_new_rules() -> None:
    chain = Chain()
    chain.grow(chain.schedule(REPLICATION_RULES, 13, 0))
    while chain.tip.core.head.height < EPOCH_VIEWS:
        chain.grow()
    assert chain.tip.core.rules.version == FIRST_RULES
    chain.grow()
    assert chain.tip.core.rules.version == REPLICATION_RULES


def test_what_is_called_off_in_the_closing_block_does_not_begin() -> None:
    chain = Chain()
    chain.grow(chain.schedule(REPLICATION_RULES, 13, 0))
    while chain.tip.core.head.height < EPOCH_VIEWS - 1:
        chain.grow()
    chain.grow(chain.schedule(0, 0, 1))
    chain.grow()
    assert chain.tip.core.head.epoch == 1
    assert chain.tip.core.rules.version == FIRST_RULES


def test_copies_are_set_under_the_rules_that_have_it_and_stay_over_the_next() -> None:
    chain = Chain()
    assert chain.verdict(chain.replicate(5, 0)) is Code.TX_RULES
    chain.grow(chain.schedule(REPLICATION_RULES, 13, 0))
    while chain.tip.core.head.height < EPOCH_VIEWS:
        assert chain.verdict(chain.replicate(5, 1)) is Code.TX_RULES
        chain.grow()
    assert chain.tip.core.rules.replication_factor == 3
    chain.grow(chain.replicate(5, 1), chain.schedule(REPLICATION_RULES + 1, 25, 2))
    assert chain.tip.core.rules.replication_factor == 5
    for _ in range(EPOCH_VIEWS):
        chain.grow()
    assert row(chain) == ChainRules(version=REPLICATION_RULES + 1, replication_factor=5)


@pytest.mark.parametrize(("factor", "code"), [(0, Code.TX_FIELD), (1, None), (64, None), (65, Code.TX_FIELD)])
def test_bounds_of_the_number_of_copies(factor: int, code: Code | None) -> None:
    chain = Chain(make_genesis(rules=Activation(REPLICATION_RULES)))
    assert chain.verdict(chain.replicate(factor, 0)) is code


def test_what_administrators_do_has_one_order() -> None:
    chain = Chain(make_genesis(rules=Activation(REPLICATION_RULES)))
    assert chain.verdict(chain.replicate(5, 1)) is Code.TX_ADMIN_SEQUENCE
    assert chain.verdict(chain.replicate(5, 1), chain.retire(1, 0)) is None
    assert chain.verdict(chain.schedule(3, 40, 0, (0,))) is Code.TX_ADMIN_THRESHOLD


def test_a_genesis_document_names_the_first_rules() -> None:
    chain = Chain(make_genesis(rules=Activation(REPLICATION_RULES)))
    assert chain.tip.core.rules == row(chain) == ChainRules(version=REPLICATION_RULES)
    later = Chain(make_genesis(rules=Activation(REPLICATION_RULES, 13)))
    assert row(later) == ChainRules(next_version=REPLICATION_RULES, next_height=13)
    for _ in range(EPOCH_VIEWS + 1):
        later.grow()
    assert row(later) == ChainRules(version=REPLICATION_RULES)


def test_a_stored_ledger_knows_its_rules() -> None:
    chain = Chain(make_genesis(rules=Activation(REPLICATION_RULES)))
    chain.store.write(chain.tip.flush())
    chain.grow(chain.replicate(2, 0))
    chain.store.write(chain.tip.flush())
    stored = stored_ledger(chain.store)
    assert stored is not None
    assert stored.core.rules == ChainRules(version=REPLICATION_RULES, replication_factor=2)


# -- the document --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rules", [None, Activation(2), Activation(RULES_KNOWN + 5, 1_000)])
def test_a_document_with_rules_comes_back_from_its_text_and_its_bytes(rules: Activation | None) -> None:
    genesis = make_genesis(block_interval_ms=10_000, slot_duration_ms=120_000, rules=rules)
    assert parse_genesis(print_genesis(genesis)) == genesis
    assert decode_genesis(encode(genesis)) == genesis


def test_rules_are_of_the_chains_name_and_no_rules_leave_it_as_it_was() -> None:
    named = [make_genesis(), make_genesis(rules=Activation(2)), make_genesis(rules=Activation(2, 9))]
    assert len({each.chain_id for each in named}) == 3
    assert [encode(each)[0] & 0xF for each in named] == [6, 7, 7], "as before documents could name rules"


def test_naming_the_first_rules_is_refused() -> None:
    with pytest.raises(GenesisError, match="rules must name a version above 1"):
        make_genesis(block_interval_ms=10_000, slot_duration_ms=120_000, rules=Activation(FIRST_RULES)).check()


def test_a_document_that_says_that_it_names_none_is_damaged() -> None:
    data = encode(make_genesis(block_interval_ms=10_000, slot_duration_ms=120_000))
    with pytest.raises(GenesisError, match="array"):
        decode_genesis(b"\x97" + data[1:] + b"\xc0")
