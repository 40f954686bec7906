"""What a block does to the ledger, in the written order of effects (protocol section 6).

Epoch and slot roll-over, missed views, credits of the parent certificate and late votes, beacon, transactions.
`Execution` serves both ends: a leader that builds leaves out the transactions which are refused, a validator refuses
the block at the first one.
"""

from __future__ import annotations

from collections.abc import Iterable

from lucid.chain.certificates import Certificate, signer_places
from lucid.chain.codec import decode, encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.keys import Crypto
from lucid.chain.parameters import Parameters
from lucid.chain.versions import CAPACITY_RULES, PROOF_RULES
from lucid.chain.votes import NOTARIZE, Vote, vote_message
from lucid.ledger.rows import (
    ADMINISTRATION_KEY,
    HEAD_KEY,
    OPENING_KEY,
    ROSTER_KEY,
    RULES_KEY,
    SCHEDULE_KEY,
    TALLY_KEY,
    WEIGHTS_KEY,
    Head,
    OpeningEntry,
    RecentBlock,
    Roster,
    SlotLeaders,
    slot_key,
)
from lucid.ledger.state import NO_RULES, Core, Ledger
from lucid.ledger.turn import Turn
from lucid.ledger.weights import opened_weights
from lucid.poot.credits import PPM, SlotWork, Tally, opened_tally, penalized
from lucid.poot.members import Member
from lucid.poot.schedule import Schedule, entity_members


class Execution:
    """A block in the making on `parent`; every method either takes effect or raises `Refusal` and changes nothing."""

    def __init__(
        self, parent: Ledger, parent_hash: bytes, turn: Turn, view: int, tick: int, parameters: Parameters
    ) -> None:
        core = parent.core
        self.parent = parent
        self.parameters = parameters
        self.parent_hash = parent_hash
        self.epoch = turn.epoch
        self.view = view
        self.tick = tick
        self.height = core.head.height + 1
        self.rows: dict[bytes, bytes | None] = {}
        self.transactions: list[bytes] = []
        self.sequence = core.roster.sequence
        self.members: list[Member] = list(core.roster.members)
        self.previous_validators = core.roster.validators
        self.validators = core.roster.validators
        self.opening = turn.epoch != core.head.epoch
        self.rules = core.rules.opening(self.height) if self.opening else core.rules
        self.administration = core.administration
        if self.opening and self.administration is not None:
            self.administration = self.administration.opening()
        if self.opening and self.rules.version >= CAPACITY_RULES:
            self._weigh()
        # The order of effects is section 6's, step by step: another one would be another state root.
        tally = opened_tally(core.tally) if self.opening else core.tally
        if self.opening:
            self.validators = core.roster.next_validators()
        self.credits = list(tally.credits)
        self.beacons = list(tally.beacons)
        self.held = list(tally.held)
        self.penalty_ppm = list(tally.penalty_ppm)
        self.evidence_until = list(tally.evidence_until)
        schedule = turn.schedule(view)
        self.slot = schedule.slot
        self.proposer = turn.leader(view)
        self.works: dict[int, list[list[int]]] = {}
        self.leaders = self._lead(schedule)
        self.recent: list[RecentBlock] = []
        self.beacon = core.head.beacon
        # Steps 2 and 3 of section 6's effects.
        if self.slot != core.head.slot:
            self._roll_slot(core.head.slot)
        self._penalize(turn)
        self.schedule = Schedule(schedule.slot, schedule.order, schedule.skipped, schedule.held + 1)

    def _weigh(self) -> None:
        """Weigh all nodes for the epoch, by the rows that the one before left."""
        weights = opened_weights(self.parent.row, self.members, self.epoch)
        if weights is not None and weights != self.parent.row(WEIGHTS_KEY):
            self.rows[WEIGHTS_KEY] = weights

    def credit_parent(self, certificate: Certificate | None) -> None:
        """Credit the votes that carried the parent, and remember the parent for late votes and heartbeats."""
        head = self.parent.core.head
        # In the parent's slot: there the work was done, though this block is what proves it (step 4).
        if certificate is not None:
            for place in signer_places(certificate.signers):
                self._credit(self.previous_validators[place], head.slot, self.parameters.vote_credits)
        size = (len(self.previous_validators) + 7) // 8
        credited = certificate.signers if certificate is not None else bytes(size)
        recent = [*head.recent, RecentBlock(head.slot, head.epoch, head.view, self.parent_hash, credited)]
        # Kept: the blocks of this slot and the one before, and the last block before those.
        keep = max((place for place, block in enumerate(recent) if block.slot < self.slot - 1), default=0)
        self.recent = recent[keep:]

    def credit_late_votes(self, votes: tuple[Vote, ...], chain_id: bytes, crypto: Crypto) -> None:
        """Credit notarize votes for ancestors of this slot or the last, each once; raises `BLOCK_LATE_VOTES`."""
        creditable = self.creditable(votes)
        if len(creditable) != len(votes):
            raise Refusal(Code.BLOCK_LATE_VOTES, "not each for a recent ancestor, once, in order")
        # All signatures before the first credit: a refusal changes nothing.
        for vote, _, _ in creditable:
            message = vote_message(chain_id, vote.epoch, vote.view, NOTARIZE, vote.block)
            if not crypto.verify(vote.signer, message, vote.signature):
                raise Refusal(Code.BLOCK_LATE_VOTES, "signature does not hold")
        for _, found, place in creditable:
            block = self.recent[found]
            bitmap = bytearray(block.credited)
            bitmap[place >> 3] |= 1 << (place & 7)
            self.recent[found] = RecentBlock(block.slot, block.epoch, block.view, block.hash, bytes(bitmap))
            self._credit(self.validators[place], block.slot, self.parameters.vote_credits)

    def creditable(self, votes: Iterable[Vote]) -> list[tuple[Vote, int, int]]:
        """The votes that may still be credited, with the places of their ancestor and signer, if in ascending order.

        Signatures are not looked at.
        """
        # Of this epoch's set alone: `recent` of the last one is indexed by another (section 11).
        index = self.parent.validators.index if not self.opening else self.parent.next_validators.index
        blocks = {
            (block.view, block.hash): place
            for place, block in enumerate(self.recent)
            if block.epoch == self.epoch and block.slot >= max(0, self.slot - 1)
        }
        order: tuple[int, int] = (0, 0)
        kept: list[tuple[Vote, int, int]] = []
        for vote in votes:
            found = blocks.get((vote.view, vote.block))
            place = index.get(vote.signer)
            if found is None or place is None or vote.kind != NOTARIZE or vote.epoch != self.epoch:
                continue
            credited = self.recent[found].credited[place >> 3] >> (place & 7) & 1
            # Strictly ascending by view and index: one order, one hash, and no vote twice without a search (section
            # 11).
            if not credited and order < (vote.view, place + 1):
                order = (vote.view, place + 1)
                kept.append((vote, found, place))
        return kept

    def count_beacon(self, member: int, slot: int) -> None:
        """Count a heartbeat that the rules have let through."""
        self.work(slot)[1][member] = 1
        # Slots before a member's registration stay out of its totals: who comes back starts anew (section 5).
        if self.members[member].since <= slot:
            self.beacons[member] += 1

    def counted(self, member: int, slot: int) -> bool:
        """Whether a heartbeat is counted already; looking changes nothing that the block would write."""
        work = self.works.get(slot)
        if work is not None:
            return bool(work[1][member])
        stored = self.parent.row(slot_key(slot))
        beacons = () if stored is None else decode(stored, SlotWork).beacons
        return member < len(beacons) and bool(beacons[member])

    def credit_storage(self, member: int, credits: int) -> None:
        """Credit storage proofs, and relays, that the rules have let through, in this block's slot."""
        self._credit(member, self.slot, credits)

    @property
    def opening_beacon(self) -> bytes:
        """The beacon after the first block of this epoch, which may be this one."""
        stored = None if self.opening else self.parent.row(OPENING_KEY)
        return self.beacon if stored is None else decode(stored, OpeningEntry).beacon

    def work(self, slot: int) -> list[list[int]]:
        """The slot's [credits, beacons] by member, loaded for change."""
        work = self.works.get(slot)
        if work is None:
            stored = self.parent.row(slot_key(slot))
            if stored is None:
                work = [[], []]
            else:
                record = decode(stored, SlotWork)
                work = [list(record.credits), list(record.beacons)]
            for column in work:
                column.extend([0] * (len(self.members) - len(column)))
            self.works[slot] = work
        return work

    def admit(self, member: Member, number: int) -> None:
        """Add a registered node, or put a retired one back in force with a clean record."""
        if number < len(self.members):
            self.members[number] = member
            # Penalty and evidence stay (section 6): registering again is no way to be rid of them.
            self.credits[number] = self.beacons[number] = self.held[number] = 0
            return
        self.members.append(member)
        for column in (self.credits, self.beacons, self.held, self.evidence_until):
            column.append(0)
        self.penalty_ppm.append(PPM)
        for work in self.works.values():
            for column in work:
                column.append(0)

    def close(self) -> Ledger:
        """The ledger after the block."""
        old = self.parent.core
        head = Head(
            height=self.height,
            epoch=self.epoch,
            view=self.view,
            tick=self.tick,
            slot=self.slot,
            parent=self.parent_hash,
            beacon=self.beacon,
            recent=tuple(self.recent),
            leaders=self.leaders,
        )
        tally = Tally(
            tuple(self.credits),
            tuple(self.beacons),
            tuple(self.held),
            tuple(self.penalty_ppm),
            tuple(self.evidence_until),
        )
        roster = Roster(tuple(self.members), self.sequence, self.validators)
        if roster == old.roster:
            roster = old.roster
        else:
            self.rows[ROSTER_KEY] = encode(roster)
        if self.rules != old.rules:
            self.rows[RULES_KEY] = None if self.rules == NO_RULES else encode(self.rules)
        if self.administration is not None and self.administration != old.administration:
            self.rows[ADMINISTRATION_KEY] = encode(self.administration)
        # After the first block's own randomness: who made the last blocks knew the beacon before it (section 11).
        if self.opening and self.rules.version >= PROOF_RULES:
            self.rows[OPENING_KEY] = encode(OpeningEntry(self.epoch, self.beacon))
        self.rows[HEAD_KEY] = encode(head)
        self.rows[TALLY_KEY] = encode(tally)
        self.rows[SCHEDULE_KEY] = encode(self.schedule)
        for slot, (credits, beacons) in self.works.items():
            self.rows[slot_key(slot)] = encode(SlotWork(tuple(credits), tuple(beacons)))
        return Ledger(
            self.parent.reader,
            self.parent,
            Core(head, tally, roster, self.schedule, self.rules, self.administration),
            self.rows,
            tuple(self.transactions),
        )

    def _credit(self, member: int, slot: int, credits: int) -> None:
        """Add credits to a slot of the window; what was proven before the member's registration earns nothing."""
        if slot > self.slot - self.parameters.window_slots:
            self.work(slot)[0][member] += credits
            if self.members[member].since <= slot:
                self.credits[member] += credits

    def _lead(self, schedule: Schedule) -> tuple[SlotLeaders, ...]:
        """Remember this block's maker, and the primary of a slot that it opens, for cooldown."""
        leaders = self.parent.core.head.leaders
        if leaders and leaders[-1].slot == self.slot:
            last = leaders[-1].members
            if self.proposer in last:
                return leaders
            return (*leaders[:-1], SlotLeaders(self.slot, (*last, self.proposer)))
        # The primary cools down too, though it made no block: else it would lead each slot, and miss each.
        primary = schedule.order[0]
        makers = (primary,) if primary == self.proposer else (primary, self.proposer)
        return (*leaders, SlotLeaders(self.slot, makers))[-self.parameters.cooldown_slots :]

    def _roll_slot(self, last: int) -> None:
        """The slot's first block: it counts as held, and slots that leave the window take their work with them."""
        self.work(self.slot)
        for number, member in enumerate(self.members):
            if member.since <= self.slot:
                self.held[number] += 1
        edge = self.slot - self.parameters.window_slots
        # Whole slots may have been skipped since: all that leave the window with them go now.
        for slot in range(max(0, last - self.parameters.window_slots + 1), edge + 1):
            stored = self.parent.row(slot_key(slot))
            if stored is not None:
                self._expire(slot, decode(stored, SlotWork))

    def _expire(self, slot: int, work: SlotWork) -> None:
        for number, (credits, beacon) in enumerate(zip(work.credits, work.beacons, strict=True)):
            if self.members[number].since <= slot:
                self.credits[number] -= credits
                self.beacons[number] -= beacon
                self.held[number] -= 1
            assert self.credits[number] >= 0 <= self.beacons[number] and self.held[number] >= 0, "window went negative"
        self.rows[slot_key(slot)] = None

    def _penalize(self, turn: Turn) -> None:
        """Each view without a block since the parent costs its leader's entity one multiplication."""
        # Views between a closing block and its finality cost nobody anything: the next epoch counts from 0 (section 4).
        if turn.parent_view + 1 == self.view:
            return
        groups = entity_members(self.members, self.validators)
        for leader, times in turn.missed(self.view).items():
            for number in groups[self.members[leader].entity]:
                self.penalty_ppm[number] = penalized(
                    self.penalty_ppm[number], self.parameters.missed_slot_penalty_ppm, times
                )


def read(block: Execution, key: bytes) -> bytes | None:
    """A row as it stands within the block."""
    return block.rows[key] if key in block.rows else block.parent.row(key)
