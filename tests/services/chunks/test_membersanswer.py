"""Who there is, as block managers of this release and of older ones say it."""

from __future__ import annotations

from typing import Any

import pytest

from lucid.services.chunks.capacity import OwnPlace
from lucid.services.chunks.membersanswer import read_members

ONE, TWO = b"\x01" * 32, b"\x02" * 32
OLD: dict[str, Any] = {"members": [TWO.hex(), ONE.hex()], "connected": [TWO.hex()]}
NEW = OLD | {"weights": [4, 2], "replication_factor": 2, "rules": 7, "height": 90, "declared": 3}


def test_members_come_in_the_order_of_their_keys_with_what_each_weighs() -> None:
    told = read_members(NEW, ONE)
    assert (told.known.members, told.known.weights) == ((ONE, TWO), (2, 4))
    assert (told.known.connected, told.known.factor, told.rules) == ((TWO,), 2, 7)
    assert told.here == OwnPlace(height=90, declared=3, weight=2, total=6)


def test_an_older_manager_knows_of_no_weights() -> None:
    told = read_members(OLD, ONE)
    assert (told.known.members, told.known.weights, told.known.factor) == ((ONE, TWO), (1, 1), 3)
    assert (told.rules, told.here) == (1, None)


@pytest.mark.parametrize("change", [{"rules": 6}, {"declared": None}])
def test_before_rules_7_and_where_it_is_no_member_the_chain_has_nothing_of_a_node(change: dict[str, Any]) -> None:
    assert read_members(NEW | change, ONE).here is None


@pytest.mark.parametrize("wrong", [{"weights": [1]}, {"weights": ["x", "y"]}, {"members": ["z"]}])
def test_what_is_not_an_answer_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_members(NEW | wrong, ONE)
