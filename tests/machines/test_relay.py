"""The relay of large proposals: two hops reach every validator once, and the origin's uplink carries about sqrt(n)."""

from __future__ import annotations

from collections import Counter
from math import isqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid.machines.limits import DEFAULT_LIMITS
from lucid.machines.relay import relay_targets
from tests.builders import digest

PUSH_BYTES = DEFAULT_LIMITS.push_bytes
LARGE = PUSH_BYTES + 1

VALIDATORS = st.integers(1, 130).map(lambda size: tuple(sorted(digest("validator", number) for number in range(size))))


@given(VALIDATORS, st.data())
def test_two_hops_reach_every_validator_exactly_once(validators: tuple[bytes, ...], draw: st.DataObject) -> None:
    origin = draw.draw(st.sampled_from(validators))
    first = relay_targets(validators, origin, origin, LARGE, PUSH_BYTES)
    second = {each: relay_targets(validators, origin, each, LARGE, PUSH_BYTES) for each in validators if each != origin}
    reached = Counter([*first, *(target for targets in second.values() for target in targets)])
    assert reached == Counter(each for each in validators if each != origin)
    assert all(not targets for each, targets in second.items() if each not in first), "nobody waits for a third hop"


@given(VALIDATORS, st.data())
def test_no_uplink_carries_much_more_than_the_square_root(validators: tuple[bytes, ...], draw: st.DataObject) -> None:
    origin = draw.draw(st.sampled_from(validators))
    bound = isqrt(len(validators)) + 3
    assert all(len(relay_targets(validators, origin, each, LARGE, PUSH_BYTES)) <= bound for each in validators)


def test_the_groups_of_ten_validators() -> None:
    a, b, c, d, e, f, g, h, i, j = validators = tuple(bytes([number]) for number in range(10))
    assert relay_targets(validators, c, c, LARGE, PUSH_BYTES) == (d, g, j)
    assert relay_targets(validators, c, d, LARGE, PUSH_BYTES) == (e, f)
    assert relay_targets(validators, c, g, LARGE, PUSH_BYTES) == (h, i)
    assert relay_targets(validators, c, j, LARGE, PUSH_BYTES) == (a, b)
    assert relay_targets(validators, c, a, LARGE, PUSH_BYTES) == ()


@given(VALIDATORS, st.data())
def test_the_order_of_groups_is_the_same_for_all(validators: tuple[bytes, ...], draw: st.DataObject) -> None:
    """Rotating the validators rotates the relay: no place in the order is loaded more than another."""
    size = len(validators)
    origin = draw.draw(st.integers(0, size - 1))
    turn = draw.draw(st.integers(0, size - 1))
    places = {key: place for place, key in enumerate(validators)}
    for key in (0, size // 2, size - 1):
        here = relay_targets(validators, validators[origin], validators[key], LARGE, PUSH_BYTES)
        turned = validators[(origin + turn) % size], validators[(key + turn) % size]
        there = relay_targets(validators, *turned, LARGE, PUSH_BYTES)
        assert [(places[each] + turn) % size for each in here] == [places[each] for each in there]


@given(VALIDATORS, st.integers(0, PUSH_BYTES))
def test_small_proposals_go_straight_to_all(validators: tuple[bytes, ...], size: int) -> None:
    assert all(relay_targets(validators, validators[0], each, size, PUSH_BYTES) == () for each in validators)


@pytest.mark.parametrize("outsider", ["origin", "key"])
def test_who_is_no_validator_has_no_part_in_it(outsider: str) -> None:
    validators = (b"a", b"b", b"c")
    origin, key = (b"x", b"a") if outsider == "origin" else (b"a", b"x")
    assert relay_targets(validators, origin, key, LARGE, PUSH_BYTES) == ()
