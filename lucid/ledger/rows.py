"""The ledger's rows: their keys, and the records that every block changes (protocol section 6).

A row key is one table byte followed by the key within the table; `docs/protocol.md` lists the tables.
"""

from __future__ import annotations

from lucid.chain.administrators import Administrators
from lucid.chain.codec import Record
from lucid.chain.genesis import Genesis
from lucid.poot.members import Member

HEAD_KEY = b"h"
TALLY_KEY = b"t"
ROSTER_KEY = b"r"
SCHEDULE_KEY = b"c"
RULES_KEY = b"v"
"""There is no such row while nothing but the rules of version 1 hold, with nothing scheduled."""
OPENING_KEY = b"b"
"""Row of the beacon by which an epoch's storage challenges are drawn; there is none before rules 4."""

ADMINISTRATION_KEY = b"a"
"""There is no such row before administrators decided on others; those of the genesis document are in force then."""


WEIGHTS_KEY = b"o"
"""There is no such row before a node declared what it has room for: all weigh 1 until then."""


def slot_key(slot: int) -> bytes:
    """Row of the work proven of one slot."""
    return b"w" + slot.to_bytes(8, "big")


def anchored_key(session: bytes, owner: bytes) -> bytes:
    """Row of a session that its owner anchored; those of one id stand together."""
    return b"s" + session + owner


def replica_key(session: bytes, owner: bytes, node: bytes) -> bytes:
    """Row of a node's commitment to hold a session's chunks."""
    return b"p" + session + owner + node


def holding_key(session: bytes, owner: bytes, node: bytes) -> bytes:
    """Row of what a node said last that it holds of a session."""
    return b"q" + session + owner + node


def due_key(session: bytes, owner: bytes, node: bytes) -> bytes:
    """Row of a holding that may be proven."""
    return b"d" + session + owner + node


def keeper_key(node: bytes) -> bytes:
    """Row of a node's sessions, and of what it proved of them."""
    return b"k" + node


def mandate_key(session: bytes, owner: bytes) -> bytes:
    """Row of the node that an owner named as a session's relay."""
    return b"m" + session + owner


def receipt_key(session: bytes, owner: bytes, node: bytes) -> bytes:
    """Row of a node's receipt for its copy, and of its having been settled."""
    return b"l" + session + owner + node


def relayed_key(node: bytes) -> bytes:
    """Row of what a node was paid as a relay."""
    return b"g" + node


def false_proof_key(member: int, epoch: int) -> bytes:
    """Row that marks a false proof of an epoch as used."""
    return b"f" + member.to_bytes(4, "big") + epoch.to_bytes(8, "big")


def evidence_key(member: int, epoch: int, view: int) -> bytes:
    """Row that marks evidence as used."""
    return b"e" + member.to_bytes(4, "big") + epoch.to_bytes(8, "big") + view.to_bytes(8, "big")


class RecentBlock(Record):
    """An ancestor that heartbeats may name and late votes may credit; `credited` is a bitmap over its validators."""

    slot: int
    epoch: int
    view: int
    hash: bytes
    credited: bytes


class SlotLeaders(Record):
    """The members that put their entities in cooldown: the primary of a slot with a block, and its makers."""

    slot: int
    members: tuple[int, ...]


class Head(Record):
    """Where the chain stands after a block. `slot` counts over all epochs, -1 at genesis.

    `parent` is the block's parent: a block's own hash cannot be in the ledger that its header commits to.
    """

    height: int
    epoch: int
    view: int
    tick: int
    slot: int
    parent: bytes
    beacon: bytes
    recent: tuple[RecentBlock, ...]
    leaders: tuple[SlotLeaders, ...]


class Roster(Record):
    """All nodes ever registered, the next administrative sequence number, and this epoch's validators.

    `validators` are member numbers in the order of their keys.
    """

    members: tuple[Member, ...]
    sequence: int
    validators: tuple[int, ...]

    def next_validators(self) -> tuple[int, ...]:
        """Member numbers that the next epoch's set would hold if this block closed the epoch."""
        return ordered_validators(self.members)


class SessionEntry(Record):
    """An anchored session: where, and what later proofs are checked against."""

    height: int
    owner: bytes
    root: bytes
    chunks: int
    total_bytes: int


class HoldingEntry(Record):
    """The chunks of a session that a node holds, and the height that it named as it said so."""

    height: int
    ranges: tuple[tuple[int, int], ...]


class OpeningEntry(Record):
    """The beacon after the first block of the epoch."""

    epoch: int
    beacon: bytes


class AdministrationEntry(Record):
    """Who decides in this epoch, and who from the next one on, once that is decided."""

    current: Administrators
    following: Administrators | None

    def opening(self) -> AdministrationEntry:
        """The row of the epoch that follows."""
        return self if self.following is None else AdministrationEntry(self.following, None)


class DueEntry(Record):
    """The first epoch in which a holding may be proven: the one after it was said, or was proven last."""

    due: int


class KeeperEntry(Record):
    """How many sessions a node holds, by its word under rules 4, and held as `epoch` opened; and what it proved in that
    epoch, each proof times the sessions that it stood for."""

    epoch: int
    opened: int
    sessions: int
    chunks: int
    total_bytes: int


class CapacityEntry(Record):
    """What a member declared at a height that it has room for, and what it weighs in this epoch, since which one."""

    declared: int = 1
    height: int = 0
    weight: int = 1
    since: int = 0


class Weights(Record):
    """Of the members, by their number; those that it does not reach are as a `CapacityEntry` begins."""

    members: tuple[CapacityEntry, ...]


class MandateEntry(Record):
    """The relay of a session, as its owner named it."""

    relay: bytes


class ReceiptEntry(Record):
    """How many chunks of a copy came from the relay; 0 once the first proof has settled it."""

    chunks: int


class RelayedEntry(Record):
    """What a node was paid as a relay in an epoch."""

    epoch: int
    credits: int


def ordered_validators(members: tuple[Member, ...]) -> tuple[int, ...]:
    """Numbers of the members in force, in the order of their keys."""
    numbers = [number for number, member in enumerate(members) if not member.retired]
    return tuple(sorted(numbers, key=lambda number: members[number].key))


def genesis_roster(genesis: Genesis) -> Roster:
    """The nodes that the genesis document names."""
    members = tuple([Member(node.key, node.name, node.pool, 0, False) for node in genesis.nodes])
    return Roster(members, 0, ordered_validators(members))
