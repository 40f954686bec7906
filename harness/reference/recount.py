"""The tally recomputed from nothing but a chain's blocks: events are counted, no sum is kept (protocol section 5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec import structs

from harness.reference.provenhistory import ProvenHistory
from harness.reference.schedule import (
    ONE,
    absolute_slot,
    closes_epoch,
    in_force,
    new_schedule,
    ranking,
    slot_in_epoch,
    turn,
)
from harness.reference.weighthistory import WeightHistory
from lucid.chain.blocks import Block
from lucid.chain.certificates import signer_places
from lucid.chain.genesis import Genesis
from lucid.chain.hashing import beacon_digest
from lucid.chain.transactions import Equivocation, FalseProof, NodeCapacity, RegisterNode, RetireNode, UptimeBeacon
from lucid.ledger.rows import SlotLeaders
from lucid.poot.credits import Tally
from lucid.poot.members import Member
from lucid.poot.schedule import Schedule


def recount(genesis: Genesis, blocks: Iterable[Block]) -> Tally:
    """The tally after the last of `blocks`, which are valid and follow each other from genesis."""
    return recount_proofs(genesis, blocks)[0]


def recount_proofs(genesis: Genesis, blocks: Iterable[Block]) -> tuple[Tally, ProvenHistory]:
    """The same, and all that was proven since genesis."""
    history = History(genesis)
    for block in blocks:
        history.add(block)
    return history.tally(history.epoch), history.storage


class History:
    """What the blocks so far say about who did what. Every event stays; whether it counts is decided at each count.

    `votes` and `heartbeats` count by (slot, member); `misses` and `evidence` are (epoch, member) in order.
    """

    def __init__(self, genesis: Genesis) -> None:
        self.parameters = genesis.parameters
        self.members = [Member(node.key, node.name, node.pool, 0, False) for node in genesis.nodes]
        self.validators = in_force(self.members)
        self.votes: Counter[tuple[int, int]] = Counter()
        self.heartbeats: Counter[tuple[int, int]] = Counter()
        self.misses: list[tuple[int, int]] = []
        self.evidence: list[tuple[int, int]] = []
        self.storage = ProvenHistory(genesis)
        self.weights = WeightHistory()
        self.slots: dict[bytes, int] = {}
        self.leaders: list[SlotLeaders] = []
        self.epoch = self.view = 0
        self.slot = -1
        self.beacon = beacon_digest(genesis.chain_id)
        self.schedule = Schedule(-1, tuple(self.validators), 0, 0)

    def tally(self, epoch: int) -> Tally:
        """The tally now, with the penalties of `epoch`, which is this one or the one about to open."""
        window = range(max(0, self.slot - self.parameters.window_slots + 1), self.slot + 1)
        made = {slots.slot for slots in self.leaders}
        earned = self.storage.earned()
        credits, beacons, held, penalties, evidence = [], [], [], [], []
        for number, member in enumerate(self.members):
            counted = [slot for slot in window if member.since <= slot]
            voted = self.parameters.vote_credits * sum(self.votes[slot, number] for slot in counted)
            credits.append(voted + sum(earned[slot, member.key] for slot in counted))
            beacons.append(sum(self.heartbeats[slot, number] for slot in counted))
            held.append(sum(slot in made for slot in counted))
            penalty = ONE
            for _ in range(self.misses.count((epoch, number))):
                penalty = penalty * self.parameters.missed_slot_penalty_ppm // ONE
            penalties.append(penalty)
            seen = [at + self.parameters.evidence_epochs for at, offender in self.evidence if offender == number]
            evidence.append(max(seen, default=0))
        return Tally(tuple(credits), tuple(beacons), tuple(held), tuple(penalties), tuple(evidence))

    def add(self, block: Block) -> None:
        """Note every event of the next block."""
        header, parameters = block.header, self.parameters
        voters = self.validators
        closed = closes_epoch(self.view, parameters)
        if closed:
            self.validators = in_force(self.members)
            self.storage.open(header.height)
            self.weights.open(self.members, header.epoch, self.storage.proofs)
        self._lead(block, -1 if closed else slot_in_epoch(self.view, parameters), 0 if closed else self.view)
        self.slots[header.parent] = self.slot
        if block.parent_certificate is not None:
            for place in signer_places(block.parent_certificate.signers):
                self.votes[self.slot, voters[place]] += 1
        for vote in block.late_votes:
            self.votes[self.slots[vote.block], self._number(vote.signer)] += 1
        self.epoch, self.view, self.beacon = header.epoch, header.view, header.beacon
        self.slot = absolute_slot(header.epoch, header.view, parameters)
        for transaction in block.transactions:
            self._note(transaction.payload)

    def _lead(self, block: Block, parent_slot: int, parent_view: int) -> None:
        """Who led this block's view, and who the views without a block before it."""
        header, parameters = block.header, self.parameters
        order: list[int] = []

        def schedule(view: int) -> Schedule:
            if absolute_slot(header.epoch, view, parameters) == self.slot:
                return self.schedule
            if not order:
                tally = self.tally(header.epoch)
                order.extend(
                    ranking(
                        tally,
                        self.members,
                        self.validators,
                        self.leaders,
                        header.epoch,
                        self.beacon,
                        parameters=parameters,
                    )
                )
            return new_schedule(view, parent_slot, header.epoch, order, parameters)

        missed = [turn(view, schedule(view), parameters) for view in range(parent_view + 1, header.view)]
        current = schedule(header.view)
        maker = turn(header.view, current, parameters)
        assert self.members[maker].key == header.proposer, "blocks come from the leaders of their views"
        if current.slot != self.slot:
            self.leaders.append(SlotLeaders(current.slot, (current.order[0],)))
        if maker not in self.leaders[-1].members:
            self.leaders[-1] = SlotLeaders(current.slot, (*self.leaders[-1].members, maker))
        self.schedule = structs.replace(current, held=current.held + 1)
        for leader in missed:
            entity = self.members[leader].entity
            self.misses += [(header.epoch, n) for n in self.validators if self.members[n].entity == entity]

    def _note(self, payload: object) -> None:
        """Note what a transaction changes in the tally or the roster."""
        self.storage.note(payload, self.slot, self.epoch)
        if isinstance(payload, UptimeBeacon):
            slot = payload.epoch * self.parameters.epoch_slots + payload.slot
            self.heartbeats[slot, self._number(payload.node)] += 1
        elif isinstance(payload, Equivocation):
            self.evidence.append((self.epoch, self._number(payload.first.signer)))
        elif isinstance(payload, NodeCapacity):
            self.weights.note(self._number(payload.node), payload)
        elif isinstance(payload, FalseProof):
            self.evidence.append((self.epoch, self._number(payload.proof.node)))
        elif isinstance(payload, RegisterNode):
            since = (self.epoch + 1) * self.parameters.epoch_slots
            member = Member(payload.key, payload.name, payload.pool, since, False)
            known = [number for number, other in enumerate(self.members) if other.key == payload.key]
            if known:
                self.members[known[0]] = member
            else:
                self.members.append(member)
        elif isinstance(payload, RetireNode):
            number = self._number(payload.key)
            self.members[number] = structs.replace(self.members[number], retired=True)

    def _number(self, key: bytes) -> int:
        [number] = [number for number, member in enumerate(self.members) if member.key == key]
        return number
