"""What a decision does, and what it leaves: whether the validators that do their part are enough for blocks.

An administrator who retires a node, or admits one that does not run yet, may leave a set that makes no blocks any more,
and then no decision can put that right. So it is said before anyone signs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lucid.chain.printable import printable
from lucid.chain.transactions import RegisterNode, RetireNode, ScheduleRules, SetAdministrators
from lucid.chain.validators import ValidatorSet

if TYPE_CHECKING:
    from lucid.api.answers import ChainNode, ChainNodes
    from lucid.chain.transactions import Administrative

FAR_BEHIND = 20
"""Blocks behind the node that is asked, from which on a validator does not count as there."""


class Outlook(NamedTuple):
    """The set after a decision, as one node sees it: how many validators, how many of them blocks need, and which are
    dead or unproven, each with the reason."""

    size: int
    quorum: int
    doubts: tuple[str, ...]

    @property
    def stands_still(self) -> bool:
        """Whether the chain would make no blocks if the doubts are right: more than a third of the set is away, or as
        much as it takes in a small one."""
        return self.size - len(self.doubts) < self.quorum

    @property
    def sentence(self) -> str:
        """What there is to say of it."""
        found = f"after it {self.size} validators are left, of which blocks need {self.quorum}"
        if not self.doubts:
            return f"{found}; all are there"
        return f"{found}; dead or unproven, as far as this node sees: {'; '.join(self.doubts)}"


def describe(payload: Administrative) -> str:
    """What a decision does, for whoever is asked to approve it."""
    match payload:
        case RegisterNode():
            pool = f" of the pool {printable(payload.pool)}" if payload.pool else ""
            return f"register node {payload.key.hex()} as {printable(payload.name)}{pool} from the next epoch on"
        case RetireNode():
            return f"retire node {payload.key.hex()} from the next epoch on, until which its votes count"
        case ScheduleRules() if payload.version or payload.height:
            return f"rules {payload.version} from the first epoch on that opens at height {payload.height} or above"
        case ScheduleRules():
            return "call off the rules that are scheduled"
        case SetAdministrators():
            keys = ", ".join(key.hex() for key in payload.keys)
            return f"from the next epoch on {payload.threshold} of {len(payload.keys)} administrators decide: {keys}"
        case _:
            return f"{payload.factor} copies of each chunk"


def outlook(nodes: ChainNodes, payload: Administrative) -> Outlook | None:
    """What a decision leaves; None where it leaves the set as it is."""
    if not isinstance(payload, RetireNode | RegisterNode):
        return None
    key = payload.key.hex()
    left = [each for each in nodes.nodes if each.member is not None and not each.member.retired and each.node != key]
    proven = any(each.member is not None and each.member.uptime_ppm for each in left)
    doubts = [_doubt(each, nodes.here, proven) for each in left]
    keys = [bytes.fromhex(each.node) for each in left]
    if isinstance(payload, RegisterNode):
        joining = next((each for each in nodes.nodes if each.node == key), None)
        there = joining is not None and _there(joining, nodes.here)
        doubts.append("" if there else f"{printable(payload.name)} (new, and not connected to this node)")
        keys.append(payload.key)
    return Outlook(len(keys), ValidatorSet(tuple(sorted(keys))).quorum, tuple(each for each in doubts if each))


def _there(node: ChainNode, here: str) -> bool:
    return node.node == here or (node.peer is not None and node.peer.connected)


def _doubt(node: ChainNode, here: str, proven: bool) -> str:
    """Why a validator may not do its part, empty if it seems to; `proven` says that others have shown themselves."""
    assert node.member is not None, "it is registered"
    name = printable(node.member.name)
    if not _there(node, here):
        return f"{name} (not connected to this node)"
    if node.peer is not None and (node.peer.behind or 0) > FAR_BEHIND:
        return f"{name} ({node.peer.behind} blocks behind)"
    if proven and not node.member.uptime_ppm:
        return f"{name} (the chain holds no heartbeat of it)"
    return ""
