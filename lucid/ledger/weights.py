"""What nodes weigh as chunks are placed: what each declared, as far as it proves its share (section 8, Weights).

Whole numbers of the chain alone, once an epoch, so that all nodes place alike. Nothing is summed up: one node could
move a sum by proving sessions of its own that cost it nothing, and no minority can move a median beyond what honest
nodes showed. Rules 7.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import structs

from lucid.chain.codec import decode, encode
from lucid.chain.transactions import NodeCapacity
from lucid.ledger.rows import WEIGHTS_KEY, CapacityEntry, KeeperEntry, Weights, keeper_key
from lucid.poot.members import Member

if TYPE_CHECKING:
    from lucid.ledger.state import Ledger

Read = Callable[[bytes], bytes | None]
NOTHING_DECLARED = CapacityEntry()
JUDGED_AFTER = 2
"""Epochs that a weight stays (section 8, Weights): what is gained in one can be proven in the next at the earliest."""
SHARE_SHOWN = 4
"""A node has to prove one in so many bytes of its share (section 8, Weights): draws are few, and sizes far apart."""
MOST_OF_MEDIAN = 4
"""Times the declared median that a node weighs at most (section 8, Weights): else a few have most copies of all."""


def entry_of(row: bytes | None, number: int) -> CapacityEntry:
    """A member's entry of the weights."""
    return (entries(row) + [NOTHING_DECLARED] * (number + 1))[number]


def entries(row: bytes | None) -> list[CapacityEntry]:
    """The entries of the weights, by member number."""
    return [] if row is None else list(decode(row, Weights).members)


def declared(row: bytes | None, number: int, capacity: NodeCapacity) -> bytes:
    """The weights after a member declared something, which counts as the next epoch opens."""
    found = entries(row)
    found += [NOTHING_DECLARED] * (number + 1 - len(found))
    found[number] = structs.replace(found[number], declared=capacity.tickets, height=capacity.height)
    return encode(Weights(tuple(found)))


def opened_weights(get: Read, members: Sequence[Member], epoch: int) -> bytes | None:
    """The weights as this epoch opens, by the rows of the one before; None if nobody ever declared anything."""
    row = get(WEIGHTS_KEY)
    if row is None:
        return None
    found = entries(row)
    found += [NOTHING_DECLARED] * (len(members) - len(found))
    proven = [_proven(get(keeper_key(member.key)), epoch - 1) for member in members]
    active = [number for number, member in enumerate(members) if not member.retired]
    yardstick = _median([proven[number] // found[number].weight for number in active])
    most = MOST_OF_MEDIAN * _median([found[number].declared for number in active])
    for number, member in enumerate(members):
        entry = found[number]
        weight = 1 if member.retired else min(_judged(entry, proven[number], yardstick, epoch), entry.declared, most)
        if weight != entry.weight:
            found[number] = structs.replace(entry, weight=weight, since=epoch)
    return encode(Weights(tuple(found)))


def node_weights(ledger: Ledger) -> dict[bytes, int]:
    """What each node weighs that is not retired, in the order of their keys."""
    row = ledger.row(WEIGHTS_KEY)
    members = enumerate(ledger.core.roster.members)
    return dict(sorted((each.key, entry_of(row, number).weight) for number, each in members if not each.retired))


def _judged(entry: CapacityEntry, proven: int, yardstick: int, epoch: int) -> int:
    """What a node may weigh by what it proved in the epoch before."""
    if epoch < entry.since + JUDGED_AFTER:
        return entry.weight
    if SHARE_SHOWN * proven < entry.weight * yardstick:
        return max(1, entry.weight // 2)
    # Where most prove nothing, nothing is known of them: a few that prove sessions of their own would outgrow all.
    return 2 * entry.weight if yardstick else entry.weight


def _proven(row: bytes | None, epoch: int) -> int:
    """The bytes that a node proved in an epoch."""
    keeper = None if row is None else decode(row, KeeperEntry)
    return keeper.total_bytes if keeper is not None and keeper.epoch == epoch else 0


def _median(values: Sequence[int]) -> int:
    """The lower one: a value that is there, with no fraction."""
    return sorted(values)[(len(values) - 1) // 2]
