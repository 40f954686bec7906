"""A second, naive implementation of the ledger's rules, to check the product's against (protocol sections 3 to 6).

Written from the text alone: one linear chain, plain lists and dicts, nothing incremental. What the two implementations
share is the encoding of records, hashing, and the verification of certificates; no rule of the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from harness.reference.recount import recount
from harness.reference.rules import NaiveRules
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
from harness.reference.state import NaiveState, require
from harness.reference.stateroot import state_root
from harness.reference.weights import NaiveWeights
from lucid.chain.blocks import VERSION, Block, certificate_hash, late_votes_hash, transactions_root
from lucid.chain.certificates import Certificate, verify_certificate
from lucid.chain.codec import encode
from lucid.chain.errors import Code
from lucid.chain.genesis import Genesis
from lucid.chain.hashing import beacon_digest
from lucid.chain.keys import Crypto
from lucid.chain.votes import FINALIZE, NOTARIZE, Vote, vote_message
from lucid.ledger.rows import RecentBlock, SlotLeaders
from lucid.poot.schedule import Schedule

__all__ = ["NaiveChain", "recount"]


class NaiveChain:
    """One chain from genesis on: judges each next block and keeps the rows that it leaves."""

    def __init__(self, genesis: Genesis, crypto: Crypto) -> None:
        self.genesis = genesis
        self.parameters = genesis.parameters
        self.chain_id = genesis.chain_id
        self.crypto = crypto
        self.tip = self.chain_id
        self._rules = NaiveRules(genesis, crypto)
        self._state = NaiveState(genesis)
        self._order: list[int] | None = None

    def rows(self) -> dict[bytes, bytes]:
        """All rows of the ledger after the last block."""
        return self._state.rows()

    def state_root(self) -> bytes:
        """The state root after the last block, from scratch."""
        return state_root(self.rows())

    def leader(self, view: int) -> bytes:
        """Key of the node that leads `view` on the last block; if that closed its epoch, a view of the next one."""
        return self._state.members[self._leader(view)].key

    def rules_version(self, epoch: int) -> int | None:
        """The version of the rules in an epoch, if that is the last block's or the one that opens after it."""
        state = self._state
        if self._closed():
            return state.opening_version(state.height + 1) if epoch == state.epoch + 1 else None
        return state.rules_version if epoch == state.epoch else None

    def apply(self, block: Block, check_root: bool = True) -> None:
        """Judge the next block and add it; its state root only counts if `check_root`.

        Raises `Refusal` naming the first rule that the block breaks, and then changes nothing.
        """
        self._check_header(block)
        after = self._state.copy()
        try:
            self._effects(block, after)
            require(block.header.validators == after.validator_set().hash, Code.BLOCK_VALIDATORS)
            require(block.header.next_validators == after.next_validator_set().hash, Code.BLOCK_VALIDATORS)
            if check_root:
                require(block.header.state_root == state_root(after.rows()), Code.BLOCK_STATE_ROOT)
        except BaseException:
            after.forget_added()
            raise
        self._state = after
        self._order = None
        self.tip = block.header.hash

    def _closed(self) -> bool:
        """Whether the last block closed its epoch, so that the next one opens another."""
        return closes_epoch(self._state.view, self.parameters)

    def _check_header(self, block: Block) -> None:
        """The rules of a header in their order, up to the parent certificate."""
        header, parent, closed = block.header, self._state, self._closed()
        require(header.parent == self.tip, Code.BLOCK_PARENT)
        require(header.version == VERSION and header.chain == self.chain_id, Code.BLOCK_VERSION)
        require(len(encode(block)) <= self.parameters.max_block_bytes, Code.BLOCK_SIZE)
        require(len(block.transactions) <= self.parameters.max_block_transactions, Code.BLOCK_SIZE)
        require(header.height == parent.height + 1, Code.BLOCK_HEIGHT)
        require(not (closed and header.epoch == parent.epoch), Code.BLOCK_CLOSED)
        require(header.epoch == parent.epoch + (1 if closed else 0), Code.BLOCK_EPOCH)
        require(header.view > (0 if closed else parent.view), Code.BLOCK_VIEW)
        require(header.tick > parent.tick, Code.BLOCK_TICK)
        leader = parent.members[self._leader(header.view)]
        require(header.proposer == leader.key and header.entity == leader.entity, Code.BLOCK_LEADER)
        require(self.crypto.verify(header.proposer, header.hash, block.signature), Code.BLOCK_SIGNATURE)
        output = self.crypto.vrf_verify(header.proposer, parent.beacon, header.vrf_proof)
        require(output is not None and header.beacon == beacon_digest(parent.beacon + output), Code.BLOCK_VRF)
        require(header.parent_certificate == certificate_hash(block.parent_certificate), Code.BLOCK_CERTIFICATE)
        require(self._certified(block.parent_certificate), Code.BLOCK_CERTIFICATE)

    def _certified(self, certificate: Certificate | None) -> bool:
        """Whether a certificate lets a block be built on the last one."""
        parent = self._state
        if certificate is None or parent.height == 0:
            return certificate is None and parent.height == 0
        if self._closed():
            fits = certificate.kind == FINALIZE and certificate.view >= parent.view
        else:
            fits = certificate.kind == NOTARIZE and certificate.view == parent.view
        return (
            fits
            and certificate.block == self.tip
            and certificate.epoch == parent.epoch
            and verify_certificate(certificate, self.chain_id, parent.validator_set(), self.crypto)
        )

    def _schedule(self, view: int) -> Schedule:
        """The schedule of the slot that holds `view`, on the last block."""
        state, closed = self._state, self._closed()
        epoch = state.epoch + 1 if closed else state.epoch
        if absolute_slot(epoch, view, self.parameters) == state.slot:
            return state.schedule
        if self._order is None:
            tally, validators = state.tally(), state.validators
            if closed:
                tally = structs.replace(tally, penalty_ppm=(ONE,) * len(state.members))
                validators = in_force(state.members)
            self._order = ranking(
                tally, state.members, validators, state.leaders, epoch, state.beacon, parameters=self.parameters
            )
        parent_slot = -1 if closed else slot_in_epoch(state.view, self.parameters)
        return new_schedule(view, parent_slot, epoch, self._order, self.parameters)

    def _leader(self, view: int) -> int:
        return turn(view, self._schedule(view), self.parameters)

    def _effects(self, block: Block, state: NaiveState) -> None:
        """Change a copy of the last block's state as the block says, in the written order of effects."""
        header, parameters = block.header, self.parameters
        if self._closed():
            state.validators = in_force(state.members)
            state.penalty_ppm = [ONE] * len(state.members)
            state.open_rules(header.height)
            state.open_administration()
            NaiveWeights.open(state, header.epoch)
        state.height, state.epoch, state.view, state.tick = header.height, header.epoch, header.view, header.tick
        state.parent = header.parent
        state.slot = absolute_slot(header.epoch, header.view, parameters)
        if state.slot != self._state.slot:
            state.works[state.slot] = [0] * len(state.members), [0] * len(state.members)
            state.work(state.slot)
            first = state.slot - parameters.window_slots + 1
            state.works = {slot: work for slot, work in state.works.items() if slot >= first}
        self._lead(block, state)
        self._penalize(block, state)
        self._credit_parent(block, state)
        self._credit_late_votes(block, state)
        state.beacon = header.beacon
        if self._closed() and state.rules_version >= 4:
            state.remember(b"b", encode((header.epoch, header.beacon)))
        require(header.transactions_root == transactions_root(block.transactions), Code.BLOCK_TRANSACTIONS_ROOT)
        for transaction in block.transactions:
            self._rules.apply(state, transaction)
        state.pad_touched()

    def _lead(self, block: Block, state: NaiveState) -> None:
        """Remember the schedule in force, and who goes into cooldown for this slot."""
        schedule, maker = self._schedule(block.header.view), state.number(block.header.proposer)
        assert maker is not None, "the leader is a member"
        if state.slot != self._state.slot:
            state.leaders.append(SlotLeaders(state.slot, (schedule.order[0],)))
        members = state.leaders[-1].members if state.leaders else (maker,)
        if maker not in members:
            state.leaders[-1] = SlotLeaders(state.slot, (*members, maker))
        while len(state.leaders) > self.parameters.cooldown_slots:
            del state.leaders[0]
        state.schedule = structs.replace(schedule, held=schedule.held + 1)

    def _penalize(self, block: Block, state: NaiveState) -> None:
        """Every view since the parent's costs its leader's entity."""
        for view in range(1 if self._closed() else self._state.view + 1, block.header.view):
            entity = state.members[self._leader(view)].entity
            for number in state.validators:
                if state.members[number].entity == entity:
                    state.penalty_ppm[number] = (
                        state.penalty_ppm[number] * self.parameters.missed_slot_penalty_ppm // ONE
                    )

    def _credit(self, state: NaiveState, slot: int, numbers: Sequence[int]) -> None:
        """One vote of each member for a block of a slot, if the window still has that slot."""
        if slot in state.works:
            credits, _ = state.work(slot)
            for number in numbers:
                credits[number] += self.parameters.vote_credits

    def _credit_parent(self, block: Block, state: NaiveState) -> None:
        """Credit who signed the parent certificate, and remember the parent."""
        parent, certificate = self._state, block.parent_certificate
        signers = bytes((len(parent.validators) + 7) // 8) if certificate is None else certificate.signers
        voters = [number for place, number in enumerate(parent.validators) if signers[place // 8] >> place % 8 & 1]
        self._credit(state, parent.slot, voters)
        state.recent.append(RecentBlock(parent.slot, parent.epoch, parent.view, self.tip, signers))
        before = [place for place, recent in enumerate(state.recent) if recent.slot < state.slot - 1]
        if before:
            state.recent = state.recent[before[-1] :]

    def _credit_late_votes(self, block: Block, state: NaiveState) -> None:
        """Check and credit votes for recent blocks that their certificates left out."""
        require(block.header.late_votes == late_votes_hash(block.late_votes), Code.BLOCK_LATE_VOTES)
        last = (-1, -1)
        for vote in block.late_votes:
            place = self._late_vote_place(vote, state)
            require((vote.view, place) > last, Code.BLOCK_LATE_VOTES)
            last = vote.view, place

    def _late_vote_place(self, vote: Vote, state: NaiveState) -> int:
        """Credit one late vote; returns its signer's place in the validator set."""
        require(vote.well_formed and vote.kind == NOTARIZE and vote.epoch == state.epoch, Code.BLOCK_LATE_VOTES)
        named = [
            index
            for index, recent in enumerate(state.recent)
            if (recent.epoch, recent.view, recent.hash) == (vote.epoch, vote.view, vote.block)
            and recent.slot >= state.slot - 1
        ]
        places = [place for place, number in enumerate(state.validators) if state.members[number].key == vote.signer]
        require(len(named) == 1 and len(places) == 1, Code.BLOCK_LATE_VOTES)
        [index], [place] = named, places
        recent = state.recent[index]
        require(not recent.credited[place // 8] >> place % 8 & 1, Code.BLOCK_LATE_VOTES)
        message = vote_message(self.chain_id, vote.epoch, vote.view, vote.kind, vote.block)
        require(self.crypto.verify(vote.signer, message, vote.signature), Code.BLOCK_LATE_VOTES)
        bitmap = bytearray(recent.credited)
        bitmap[place // 8] |= 1 << place % 8
        state.recent[index] = structs.replace(recent, credited=bytes(bitmap))
        self._credit(state, recent.slot, [state.validators[place]])
        return place
