"""Who there is, as the node's block manager says it: members, what each weighs, and what the chain has of this one."""

from __future__ import annotations

from typing import Any, NamedTuple

from lucid.chain.placement import REPLICATION_FACTOR
from lucid.chain.versions import CAPACITY_RULES, FIRST_RULES
from lucid.machines.effects import MembersKnown
from lucid.services.chunks.capacity import OwnPlace


class MembersTold(NamedTuple):
    """What the machine of replication is told, the version of the rules, and what the chain has of this node: None
    where it is no member, and before rules 7."""

    known: MembersKnown
    rules: int
    here: OwnPlace | None


def read_members(found: Any, key: bytes) -> MembersTold:
    """What the manager of the node with this key says. A manager of an older release knows neither of weights nor of
    another replication factor than the first."""
    keys = [bytes.fromhex(each) for each in found["members"]]
    weights = dict(sorted(zip(keys, map(int, found.get("weights", [1] * len(keys))), strict=True)))
    connected = tuple(sorted(bytes.fromhex(each) for each in found["connected"]))
    rules, here = int(found.get("rules", FIRST_RULES)), None
    if rules >= CAPACITY_RULES and found.get("declared") is not None:
        here = OwnPlace(int(found["height"]), int(found["declared"]), weights.get(key, 1), sum(weights.values()))
    factor = int(found.get("replication_factor", REPLICATION_FACTOR))
    return MembersTold(MembersKnown(tuple(weights), connected, factor, tuple(weights.values())), rules, here)
