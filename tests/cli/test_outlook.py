"""What a decision leaves of a chain's validators, and when that is too few for blocks."""

from __future__ import annotations

from typing import Any

import pytest

from lucid.api.answers import ChainMember, ChainNode, ChainNodes, ChainPeer
from lucid.chain.transactions import (
    Administrative,
    RegisterNode,
    RetireNode,
    ScheduleRules,
    SetAdministrators,
    SetReplication,
)
from lucid.cli.outlook import Outlook, outlook

KEYS = [bytes([number]) * 32 for number in range(8)]


def node(number: int, connected: bool = True, behind: int | None = 0, **member: Any) -> ChainNode:
    fields: dict[str, Any] = {"name": f"pi{number}", "retired": False, "uptime_ppm": 900_000} | member
    peer = ChainPeer(connected=connected, behind=behind) if number else None
    return ChainNode(KEYS[number].hex(), ChainMember(**fields), peer)


def asked(*nodes: ChainNode) -> ChainNodes:
    return ChainNodes(KEYS[0].hex(), nodes)


def retire(number: int) -> RetireNode:
    return RetireNode(KEYS[number], 0, ())


def register(number: int) -> RegisterNode:
    return RegisterNode(KEYS[number], "new", "", 0, (), bytes(64))


def found(nodes: ChainNodes, payload: Administrative) -> Outlook:
    made = outlook(nodes, payload)
    assert made is not None
    return made


def test_a_set_that_is_all_there_is_in_no_danger() -> None:
    seen = found(asked(*[node(number) for number in range(5)]), retire(4))
    assert seen == Outlook(4, 3, ()) and not seen.stands_still and "all are there" in seen.sentence


@pytest.mark.parametrize(
    ("dead", "size", "still"),
    [((1,), 5, False), ((1, 2), 5, True), ((1,), 4, True), ((1, 2), 8, False), ((1, 2, 3), 8, True)],
)
def test_a_third_of_what_is_left_may_be_dead_and_no_more(dead: tuple[int, ...], size: int, still: bool) -> None:
    """One of `size` is retired."""
    nodes = [node(number, connected=number not in dead) for number in range(size)]
    seen = found(asked(*nodes), retire(size - 1))
    assert (len(seen.doubts), seen.stands_still) == (len(dead), still)
    assert "pi1 (not connected to this node)" in seen.sentence


def test_taking_out_the_dead_one_is_what_helps() -> None:
    nodes = asked(node(0), node(1), node(2), node(3, connected=False))
    assert not found(nodes, retire(3)).stands_still
    assert found(nodes, retire(2)).stands_still


def test_who_is_far_behind_or_never_showed_itself_is_in_doubt() -> None:
    nodes = asked(node(0), node(1, behind=21), node(2, uptime_ppm=0), node(3, behind=None), node(4, retired=True))
    seen = found(nodes, retire(3))
    assert seen.doubts == ("pi1 (21 blocks behind)", "pi2 (the chain holds no heartbeat of it)")
    fresh = asked(*[node(number, uptime_ppm=0) for number in range(4)])
    assert not found(fresh, retire(3)).doubts, "a chain that has just begun has none of anyone"


def test_a_node_that_is_admitted_has_to_be_there() -> None:
    alone = asked(node(0))
    assert found(alone, register(5)) == Outlook(2, 2, ("new (new, and not connected to this node)",))
    assert found(alone, register(5)).stands_still
    running = asked(node(0), ChainNode(KEYS[5].hex(), None, ChainPeer(connected=True)))
    assert found(running, register(5)) == Outlook(2, 2, ())
    assert not found(asked(*[node(number) for number in range(4)]), register(5)).stands_still
    back = asked(node(0), node(1, retired=True))
    assert found(back, register(1)) == Outlook(2, 2, ())


def test_other_decisions_leave_the_set_as_it_is() -> None:
    handed = SetAdministrators((bytes(32),), 1, 0, (), ())
    for payload in (ScheduleRules(2, 99, 0, ()), SetReplication(2, 0, ()), handed):
        assert outlook(asked(node(0)), payload) is None
