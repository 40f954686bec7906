"""The relay of large proposals: two hops, about sqrt(n) copies from the leader, and no group lost for one member."""

from __future__ import annotations

from collections import Counter
from math import isqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid.chain.votes import NOTARIZE, PROPOSE, SKIP, Vote
from lucid.machines.manager.relay import Spreading, relay_groups, relay_targets
from tests.builders import digest

BLOCK = bytes(32)
PATIENCE_MS = 5_000

VALIDATORS = st.integers(1, 130).map(lambda size: tuple(sorted(digest("validator", number) for number in range(size))))


def vote(signer: bytes, kind: int = NOTARIZE, view: int = 1, block: bytes = BLOCK) -> Vote:
    return Vote(0, view, kind, block, signer, bytes(64))


def spreading(validators: tuple[bytes, ...], origin: bytes) -> Spreading:
    return Spreading(vote(origin, PROPOSE), b"", relay_groups(validators, origin), 0, PATIENCE_MS)


@given(VALIDATORS, st.data())
def test_two_hops_reach_every_validator_exactly_once(validators: tuple[bytes, ...], draw: st.DataObject) -> None:
    origin = draw.draw(st.sampled_from(validators))
    first = spreading(validators, origin).targets()
    second = [target for each in first for target in relay_targets(validators, origin, each)]
    assert Counter([*first, *second]) == Counter(each for each in validators if each != origin)


@given(VALIDATORS, st.data())
def test_no_uplink_carries_much_more_than_the_square_root(validators: tuple[bytes, ...], draw: st.DataObject) -> None:
    origin = draw.draw(st.sampled_from(validators))
    bound = isqrt(len(validators)) + 3
    assert len(spreading(validators, origin).targets()) <= bound
    assert all(len(relay_targets(validators, origin, each)) <= bound for each in validators)


def test_the_groups_of_ten_validators() -> None:
    a, b, c, d, e, f, g, h, i, j = validators = tuple(bytes([number]) for number in range(10))
    assert relay_groups(validators, c) == ((d, e, f), (g, h, i), (j, a, b))
    assert spreading(validators, c).targets() == [d, g, j]
    assert relay_targets(validators, c, d) == (e, f)
    assert relay_targets(validators, c, a) == (j, b), "whoever of a group is sent it by the leader passes it on"


@given(VALIDATORS, st.data())
def test_the_order_of_groups_is_the_same_for_all(validators: tuple[bytes, ...], draw: st.DataObject) -> None:
    """Rotating the validators rotates the relay: no place in the order is loaded more than another."""
    size = len(validators)
    origin = draw.draw(st.integers(0, size - 1))
    turn = draw.draw(st.integers(0, size - 1))
    places = {key: place for place, key in enumerate(validators)}
    here = spreading(validators, validators[origin]).targets()
    there = spreading(validators, validators[(origin + turn) % size]).targets()
    assert [(places[each] + turn) % size for each in here] == [places[each] for each in there]


@given(VALIDATORS, st.data())
def test_whoever_is_up_is_reached_within_two_thirds_of_the_timeout(
    validators: tuple[bytes, ...], draw: st.DataObject
) -> None:
    """Whatever set is down, or takes a proposal and passes nothing on; a third of them, or all but one."""
    origin = draw.draw(st.sampled_from(validators))
    others = [each for each in validators if each != origin]
    dead = set(draw.draw(st.lists(st.sampled_from(others), max_size=len(others))) if others else [])
    mute = set(draw.draw(st.lists(st.sampled_from(others), max_size=len(others))) if others else [])
    spread = spreading(validators, origin)
    reached: set[bytes] = set()
    at_ms = 0
    while targets := spread.targets():
        assert at_ms <= PATIENCE_MS * 2 // 3
        for each in targets:
            if each not in dead:
                passed = () if each in mute else relay_targets(validators, origin, each)
                reached |= {target for target in (each, *passed) if target not in dead}
        for each in sorted(reached):
            spread.heard(vote(each))
        at_ms = spread.due_ms
        spread.next_ms()
    assert reached == set(others) - dead


def test_a_group_that_votes_is_sent_nothing_more() -> None:
    validators = tuple(bytes([number]) for number in range(10))
    spread = spreading(validators, validators[2])
    assert len(spread.targets()) == 3
    for each in validators:
        spread.heard(vote(each))
    assert spread.targets() == []


def test_only_a_vote_for_the_very_proposal_tells_that_it_came() -> None:
    validators = (b"a", b"b")
    spread = spreading(validators, b"a")
    for other in (vote(b"b", SKIP, 1, b""), vote(b"b", view=2), vote(b"b", block=bytes([1]) * 32)):
        spread.heard(other)
    assert spread.targets() == [b"b"]


@pytest.mark.parametrize("outsider", ["origin", "key"])
def test_who_is_no_validator_has_no_part_in_it(outsider: str) -> None:
    validators = (b"a", b"b", b"c")
    origin, key = (b"x", b"a") if outsider == "origin" else (b"a", b"x")
    assert relay_targets(validators, origin, key) == ()
