"""Building and judging whole blocks: header rules in their written order around the execution (protocol section 6)."""

from __future__ import annotations

from typing import NamedTuple

from lucid.chain.blocks import (
    PROOF_BYTES,
    VERSION,
    Block,
    Header,
    certificate_hash,
    late_votes_hash,
    next_beacon,
    transactions_root,
)
from lucid.chain.certificates import Certificate, verify_certificate
from lucid.chain.codec import encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.hashing import ZERO_DIGEST
from lucid.chain.keys import Crypto
from lucid.chain.transactions import Transaction
from lucid.chain.votes import FINALIZE, NOTARIZE, Vote
from lucid.ledger.execution import Execution
from lucid.ledger.rowstore import Reader
from lucid.ledger.rules import Rules
from lucid.ledger.state import Ledger, genesis_ledger
from lucid.ledger.turn import Turn, closes_epoch

# What a header, its signature and the framing of the body take at most, beside certificate, votes and transactions: 603
# bytes with all numbers at 2^53 and a pool's name of 64 bytes. The rest is for fields that a later version may add.
HEADER_BYTES = 1_024


class Built(NamedTuple):
    """An executed block that lacks only its proposer's signature, and what was left out with the reason."""

    header: Header
    parent_certificate: Certificate | None
    late_votes: tuple[Vote, ...]
    transactions: tuple[Transaction, ...]
    ledger: Ledger
    rejected: tuple[tuple[Transaction, Code], ...]


class Validator:
    """Builds blocks and judges them, for one chain."""

    def __init__(self, genesis: Genesis, crypto: Crypto) -> None:
        self.genesis = genesis
        self.chain_id = genesis.chain_id
        self.crypto = crypto
        self.rules = Rules(genesis, crypto)

    def first(self, reader: Reader) -> Ledger:
        """The ledger before the first block, over a node's empty store."""
        return genesis_ledger(self.genesis, reader)

    def build(
        self,
        parent: Ledger,
        parent_hash: bytes,
        turn: Turn,
        *,
        certificate: Certificate | None,
        view: int,
        tick: int,
        vrf_proof: bytes,
        late_votes: tuple[Vote, ...],
        candidates: tuple[Transaction, ...],
    ) -> Built:
        """Execute the candidates in order on `parent`, leaving out what is refused or has no room.

        `turn` is the parent's, which callers keep because its ranking is worth keeping.
        """
        parameters = self.genesis.parameters
        block = Execution(parent, parent_hash, turn, view, tick, parameters)
        proposer = block.members[block.proposer]
        output = self.crypto.vrf_verify(proposer.key, parent.core.head.beacon, vrf_proof)
        assert output is not None, "the engine proves over the parent's beacon"
        block.credit_parent(certificate)
        # Before transactions: a vote's credit is lost for good once its block has left `recent`, a transaction waits.
        # Late votes may take half of the room at most, so that a block with many of them stays within its limit.
        spare = (parameters.max_block_bytes - HEADER_BYTES - len(encode(certificate))) // 2
        late_votes = self._creditable(block, late_votes, spare)
        block.beacon = next_beacon(block.beacon, output)
        room = parameters.max_block_bytes - HEADER_BYTES - len(encode(certificate)) - len(encode(late_votes))
        transactions, rejected = self._fill(block, candidates, room)
        ledger = block.close()
        header = self._header(block, ledger, vrf_proof, certificate, late_votes, transactions)
        return Built(header, certificate, late_votes, transactions, ledger, rejected)

    def _fill(
        self, block: Execution, candidates: tuple[Transaction, ...], room: int
    ) -> tuple[tuple[Transaction, ...], tuple[tuple[Transaction, Code], ...]]:
        """Apply the candidates in order; returns those that hold and have room, and those refused with the reason.

        One without room is no reason to stop: a smaller one may follow. It is not refused either, and comes again.
        """
        taken: list[Transaction] = []
        rejected: list[tuple[Transaction, Code]] = []
        for transaction in candidates:
            size = transaction.size
            if size > room or len(taken) == self.genesis.parameters.max_block_transactions:
                continue
            try:
                self.rules.apply(block, transaction)
            except Refusal as refusal:
                rejected.append((transaction, refusal.code))
                continue
            taken.append(transaction)
            room -= size
        return tuple(taken), tuple(rejected)

    def _header(
        self,
        block: Execution,
        ledger: Ledger,
        vrf_proof: bytes,
        certificate: Certificate | None,
        late_votes: tuple[Vote, ...],
        transactions: tuple[Transaction, ...],
    ) -> Header:
        """The header of an executed block that left `ledger`."""
        # Rule 9 is of the parent alone: its own transactions may give the proposer another pool.
        proposer = block.parent.core.roster.members[block.proposer]
        return Header(
            version=VERSION,
            chain=self.chain_id,
            height=block.height,
            epoch=block.epoch,
            view=block.view,
            tick=block.tick,
            parent=block.parent_hash,
            transactions_root=transactions_root(transactions),
            state_root=ledger.root,
            entity=proposer.entity,
            proposer=proposer.key,
            vrf_proof=vrf_proof,
            beacon=block.beacon,
            validators=ledger.validators.hash,
            next_validators=ledger.next_validators.hash,
            parent_certificate=certificate_hash(certificate),
            late_votes=late_votes_hash(late_votes),
        )

    def judge(self, block: Block, parent: Ledger, parent_hash: bytes, turn: Turn) -> Ledger:
        """Check every rule of a block on its parent and return the ledger after it.

        Raises `Refusal` naming the first rule that fails. Whether the block is timely is no matter of validity.
        Rules 1 and 2 of section 6 are about what is at hand: `Chain.judge` has them.
        """
        header, parameters = block.header, self.genesis.parameters
        self._check_position(block, parent, parent_hash)
        # Rule 9: who leads follows from the parent alone (section 4, Who leads), so a stranger's block costs no
        # signature.
        proposer = parent.core.roster.members[turn.leader(header.view)]
        if (header.proposer, header.entity) != (proposer.key, proposer.entity):
            raise Refusal(Code.BLOCK_LEADER)
        # Rule 10 before 11: a VRF proof takes some nine times as long to check as a signature (`sim.cpus`).
        if not self.crypto.verify(header.proposer, header.hash, block.signature):
            raise Refusal(Code.BLOCK_SIGNATURE)
        # Over the parent's beacon and nothing else: with a view in it, leaders could grind (section 4, Who leads).
        output = self.crypto.vrf_verify(header.proposer, parent.core.head.beacon, header.vrf_proof)
        if output is None or header.beacon != next_beacon(parent.core.head.beacon, output):
            raise Refusal(Code.BLOCK_VRF)
        self._check_certificate(block, parent)
        execution = Execution(parent, parent_hash, turn, header.view, header.tick, parameters)
        # From here on in the order of a block's effects (section 6): each depends on those before it.
        execution.credit_parent(block.parent_certificate)
        if header.late_votes != late_votes_hash(block.late_votes):
            raise Refusal(Code.BLOCK_LATE_VOTES, "hash does not match the body")
        execution.credit_late_votes(block.late_votes, self.chain_id, self.crypto)
        execution.beacon = header.beacon
        # Rule 14 before 15: a body that is not the header's is found by a hash, before anything in it is executed.
        if header.transactions_root != transactions_root(block.transactions):
            raise Refusal(Code.BLOCK_TRANSACTIONS_ROOT)
        for transaction in block.transactions:
            self.rules.apply(execution, transaction)
        ledger = execution.close()
        # Rules 16 and 17 come last, as they follow from all before: machines that diverge show it in the block itself.
        if (header.validators, header.next_validators) != (ledger.validators.hash, ledger.next_validators.hash):
            raise Refusal(Code.BLOCK_VALIDATORS)
        if header.state_root != ledger.root:
            raise Refusal(Code.BLOCK_STATE_ROOT)
        return ledger

    def _check_position(self, block: Block, parent: Ledger, parent_hash: bytes) -> None:
        header, parameters, head = block.header, self.genesis.parameters, parent.core.head
        assert header.parent == parent_hash, "judged on another parent"
        # Rule 3 first: what is of another chain, or of a release to come, is not to be read by these rules at all.
        if (header.version, header.chain) != (VERSION, self.chain_id) or len(header.vrf_proof) != PROOF_BYTES:
            raise Refusal(Code.BLOCK_VERSION)
        # Rule 4, before whatever costs more than its bytes.
        size = len(encode(block))
        if size > parameters.max_block_bytes or len(block.transactions) > parameters.max_block_transactions:
            raise Refusal(Code.BLOCK_SIZE, f"{size} bytes")
        if header.height != head.height + 1:
            raise Refusal(Code.BLOCK_HEIGHT)
        # A closing block's child opens the next epoch, whose validators may be others: no two sets ever decide one
        # view (section 4, Epoch change).
        opening = closes_epoch(head, parameters)
        if header.epoch == head.epoch and opening:
            raise Refusal(Code.BLOCK_CLOSED)
        if header.epoch != head.epoch + opening:
            raise Refusal(Code.BLOCK_EPOCH)
        # Rule 7: skipped views leave gaps, so it need not be the next one.
        if header.view <= (0 if opening else head.view):
            raise Refusal(Code.BLOCK_VIEW)
        # Any tick above the parent's is valid; whether it is timely is for voters alone (section 4, Time).
        if header.tick <= head.tick:
            raise Refusal(Code.BLOCK_TICK)

    def _check_certificate(self, block: Block, parent: Ledger) -> None:
        """Rule 12: the parent certificate notarizes the parent in its view, or made it final if it closed its epoch.

        By the votes of the parent's epoch. A closing block comes again until it is final, so its finality may be of a
        later view than its own (section 4, Repeats).
        """
        certificate, head = block.parent_certificate, parent.core.head
        if certificate_hash(certificate) != block.header.parent_certificate:
            raise Refusal(Code.BLOCK_CERTIFICATE, "hash does not match the body")
        # Nobody votes for genesis: the document that every node is given vouches for it.
        if head.height == 0:
            if block.header.parent_certificate != ZERO_DIGEST:
                raise Refusal(Code.BLOCK_CERTIFICATE, "genesis has none")
            return
        # What each line rules out: none or another block's; votes of another set; a skip, or a notarization where
        # finality is due; another view's, whose votes were for something else; and signatures that do not hold.
        closed = block.header.epoch != head.epoch
        if (
            certificate is None
            or certificate.block != block.header.parent
            or certificate.epoch != head.epoch
            or certificate.kind != (FINALIZE if closed else NOTARIZE)
            or (certificate.view != head.view and not (closed and certificate.view > head.view))
            or not verify_certificate(certificate, self.chain_id, parent.validators, self.crypto)
        ):
            raise Refusal(Code.BLOCK_CERTIFICATE)

    def _creditable(self, block: Execution, votes: tuple[Vote, ...], room: int) -> tuple[Vote, ...]:
        """Credit the late votes that can be; the engine has verified their signatures and put them in order.

        Most of what the engine offers was credited by an earlier block, so what has no claim takes no room either.
        """
        taken = _fitting(tuple([vote for vote, _, _ in block.creditable(votes)]), room)
        block.credit_late_votes(taken, self.chain_id, self.crypto)
        return taken


def _fitting(votes: tuple[Vote, ...], room: int) -> tuple[Vote, ...]:
    """The last votes, in their order, that fit into `room` bytes."""
    kept = len(votes)
    while kept and (room := room - len(encode(votes[kept - 1]))) >= 0:
        kept -= 1
    return votes[kept:]
