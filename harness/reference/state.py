"""The naive ledger: everything that the chain remembers, as plain lists and dicts, and the rows that commit to it.

The window's totals are added up anew whenever they are asked for, and the state root is hashed from nothing.
"""

from __future__ import annotations

from typing import Any

import msgspec

from harness.reference.schedule import ONE, in_force
from lucid.chain.codec import encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.hashing import (
    ZERO_DIGEST,
    beacon_digest,
)
from lucid.chain.validators import ValidatorSet
from lucid.ledger.rows import (
    HEAD_KEY,
    ROSTER_KEY,
    RULES_KEY,
    SCHEDULE_KEY,
    TALLY_KEY,
    Head,
    RecentBlock,
    Roster,
    SlotLeaders,
    slot_key,
)
from lucid.poot.credits import SlotWork, Tally
from lucid.poot.members import Member
from lucid.poot.schedule import Schedule


def require(holds: bool, code: Code) -> None:
    """Refuse with `code` unless the rule holds."""
    if not holds:
        raise Refusal(code)


class NaiveState:
    """What one block left behind; `copy` gives the next block something to change.

    `works` has (credits, heartbeats) by member for each slot of the window that holds a block. `forever` has the rows
    that stay: sessions, replicas, used evidence; copies share it, so `added` says what to put back.
    `touched` are the slots whose work changed since `copy`.
    """

    def __init__(self, genesis: Genesis) -> None:
        self.members = [Member(node.key, node.name, node.pool, 0, False) for node in genesis.nodes]
        self.sequence = 0
        self.validators = in_force(self.members)
        self.penalty_ppm = [ONE] * len(self.members)
        self.evidence_until = [0] * len(self.members)
        self.works: dict[int, tuple[list[int], list[int]]] = {}
        self.height = self.epoch = self.view = self.tick = 0
        self.slot = -1
        self.parent = ZERO_DIGEST
        self.beacon = beacon_digest(genesis.chain_id)
        self.recent: list[RecentBlock] = []
        self.leaders: list[SlotLeaders] = []
        self.schedule = Schedule(-1, tuple(self.validators), 0, 0)
        self.rules_version, self.replication = 1, 3
        self.scheduled: tuple[int, int] | None = None
        if genesis.rules is not None:
            self.scheduled = genesis.rules.version, genesis.rules.height
            self.open_rules(1)
        self.administrators = genesis.administrators, genesis.threshold
        self.next_administrators: tuple[tuple[bytes, ...], int] | None = None
        self.handed_on = False
        self.forever: dict[bytes, bytes] = {}
        self.added: list[tuple[bytes, bytes | None]] = []
        self.touched: set[int] = set()

    def copy(self) -> NaiveState:
        """A state to change without changing this one, but for `forever`."""
        other = NaiveState.__new__(NaiveState)
        other.__dict__.update(self.__dict__)
        other.members = list(self.members)
        other.penalty_ppm = list(self.penalty_ppm)
        other.evidence_until = list(self.evidence_until)
        other.works = dict(self.works)
        other.recent = list(self.recent)
        other.leaders = list(self.leaders)
        other.added = []
        other.touched = set()
        return other

    def open_rules(self, height: int) -> None:
        """An epoch opens with a block of this height: what was scheduled up to here holds from now on."""
        self.rules_version = self.opening_version(height)
        if self.scheduled is not None and height >= self.scheduled[1]:
            self.scheduled = None

    def opening_version(self, height: int) -> int:
        """The version of the rules of an epoch that opens with a block of this height."""
        if self.scheduled is not None and height >= self.scheduled[1]:
            return self.scheduled[0]
        return self.rules_version

    def open_administration(self) -> None:
        """An epoch opens: whom the administrators decided on decide from now on."""
        if self.next_administrators is not None:
            self.administrators, self.next_administrators, self.handed_on = self.next_administrators, None, True

    def remember(self, key: bytes, value: bytes) -> None:
        """Add a row forever, or put it in the place of the one before."""
        self.added.append((key, self.forever.get(key)))
        self.forever[key] = value

    def decoded(self, key: bytes) -> Any:
        """What a row that stays holds, or None."""
        return msgspec.msgpack.decode(self.forever[key]) if key in self.forever else None

    def remove(self, key: bytes) -> None:
        """Take a row away, if it is there."""
        if key in self.forever:
            self.added.append((key, self.forever.pop(key)))

    def forget_added(self) -> None:
        """Take back what was added and removed since `copy`."""
        for key, before in reversed(self.added):
            if before is None:
                del self.forever[key]
            else:
                self.forever[key] = before

    def number(self, key: bytes) -> int | None:
        """The number of the member with this key, retired or not."""
        for number, member in enumerate(self.members):
            if member.key == key:
                return number
        return None

    def active(self, key: bytes) -> bool:
        """Whether a node is a member that is not retired."""
        number = self.number(key)
        return number is not None and not self.members[number].retired

    def validator_set(self) -> ValidatorSet:
        """This epoch's validators."""
        return ValidatorSet(tuple([self.members[number].key for number in self.validators]))

    def next_validator_set(self) -> ValidatorSet:
        """The validators of the next epoch if it opened now."""
        return ValidatorSet(tuple([self.members[number].key for number in in_force(self.members)]))

    def work(self, slot: int) -> tuple[list[int], list[int]]:
        """The (credits, heartbeats) of a slot by member, to change."""
        credits, beacons = self.works[slot]
        missing = [0] * (len(self.members) - len(credits))
        self.works[slot] = credits + missing, beacons + missing
        self.touched.add(slot)
        return self.works[slot]

    def pad_touched(self) -> None:
        """Give the rows of work that the block wrote an entry for each member that it registered."""
        for slot in sorted(self.touched):
            if slot in self.works:
                self.work(slot)

    def tally(self) -> Tally:
        """Totals over the window of what each member did since it registered, added up slot by slot."""
        credits, beacons, held = ([0] * len(self.members) for _ in range(3))
        for slot, (slot_credits, slot_beacons) in self.works.items():
            for number, member in enumerate(self.members):
                if member.since <= slot:
                    held[number] += 1
                    credits[number] += slot_credits[number]
                    beacons[number] += slot_beacons[number]
        return Tally(tuple(credits), tuple(beacons), tuple(held), tuple(self.penalty_ppm), tuple(self.evidence_until))

    def rows(self) -> dict[bytes, bytes]:
        """Every row of the ledger, by its key."""
        head = Head(
            height=self.height,
            epoch=self.epoch,
            view=self.view,
            tick=self.tick,
            slot=self.slot,
            parent=self.parent,
            beacon=self.beacon,
            recent=tuple(self.recent),
            leaders=tuple(self.leaders),
        )
        roster = Roster(tuple(self.members), self.sequence, tuple(self.validators))
        rows = {
            HEAD_KEY: encode(head),
            TALLY_KEY: encode(self.tally()),
            ROSTER_KEY: encode(roster),
            SCHEDULE_KEY: encode(self.schedule),
        }
        if (self.rules_version, self.scheduled, self.replication) != (1, None, 3):
            following = self.scheduled or (0, 0)
            rows[RULES_KEY] = encode((self.rules_version, *following, self.replication))
        if self.handed_on or self.next_administrators is not None:
            rows[b"a"] = encode((self.administrators, self.next_administrators))
        for slot, (credits, beacons) in self.works.items():
            rows[slot_key(slot)] = encode(SlotWork(tuple(credits), tuple(beacons)))
        return rows | self.forever
