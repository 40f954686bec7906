"""The engine's door for transactions: client submissions and peers' offers into the mempool (protocol section 6).

What a client was told is accepted is durable, is offered again until it is final, and leaves only final, expired or
refused by three builds of this node.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from msgspec import structs

from lucid.chain.administrators import first_administrators
from lucid.chain.codec import decode, encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.keys import Crypto
from lucid.chain.transactions import (
    Administrative,
    Equivocation,
    FalseProof,
    NodeCapacity,
    Payload,
    RegisterNode,
    RelayMandate,
    RelayReceipt,
    ReplicaCommit,
    ReplicaHolding,
    RetireNode,
    ScheduleRules,
    SessionAnchor,
    SetAdministrators,
    SetReplication,
    StorageProof,
    Transaction,
    UptimeBeacon,
    check_rules,
    claim_message,
    endorsement_message,
)
from lucid.chain.versions import FIRST_RULES
from lucid.chain.votes import Vote, conflict, vote_message
from lucid.ledger.rowstore import Reader, Write
from lucid.ledger.rules import check_anchor
from lucid.machines.effects import (
    Effects,
    Evicted,
    Finalized,
    Forward,
    Observe,
    Offer,
    Refused,
    Respond,
    Store,
    Submitted,
    ViewContext,
)
from lucid.machines.engine.mempool import Mempool, Waiting
from lucid.machines.limits import DEFAULT_LIMITS, Limits
from lucid.machines.messages import MAX_GOSSIP_TRANSACTIONS, Transactions

PENDING_TABLE = "pending"
MAX_FORGED = 8
"""Offers of one endorser that do not hold, after which no more are looked at until the next block is final (section 6);
an honest one sends none, and each costs signatures."""


class Admission:
    """The mempool, and the transactions that this node itself endorsed and answers for."""

    def __init__(
        self,
        secret: bytes,
        key: bytes,
        genesis: Genesis,
        crypto: Crypto,
        reader: Reader,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.mempool = Mempool(key, limits)
        self._limits = limits
        self.validators: frozenset[bytes] = frozenset()
        self.height = 0
        self.rules = FIRST_RULES
        """The version of the rules in force in this epoch."""
        self._first_administrators = first_administrators(genesis)
        self.administrators = self._first_administrators
        """Who decides in this epoch."""
        self._secret = secret
        self._key = key
        self._crypto = crypto
        self._chain_id = genesis.chain_id
        self._parameters = genesis.parameters
        self._reader = reader
        self._own: dict[bytes, int] = {}
        self._forged: dict[bytes, int] = {}

    def open_epoch(self, context: ViewContext) -> None:
        """Admit by what holds in the epoch of this context."""
        self.validators = frozenset(context.validators)
        self.rules = context.rules
        self.administrators = context.administrators or self._first_administrators

    def on_started(self, now: int) -> Effects:
        """Take up again what was accepted before a restart."""
        for identity, data in self._reader.scan(PENDING_TABLE):
            # Due at once: what it was offered to before the restart may be gone, too.
            self.mempool.restore(identity, decode(data, Transaction))
            self._own[identity] = 0
        return []

    def on_submitted(self, event: Submitted) -> Effects:
        """Judge a client's payload, endorse it, keep it safe, answer, and offer it to the others."""
        try:
            self._check(event.payload)
            transaction = self._endorse(event.payload)
            identity = transaction.id
            effects = self._admit(identity, transaction)
        except Refusal as refusal:
            return [Respond(event.request, b"", refusal.code)]
        # Durable before the answer: who was told so counts on it (section 6, Mempool and building).
        self._own[identity] = self.height
        return [
            *effects,
            Store(((PENDING_TABLE, identity, encode(transaction)),)),
            Respond(event.request, identity, None),
            Forward(Offer((transaction,))),
        ]

    def submit_own(self, payload: Payload) -> Effects:
        """Offer a payload of this node's own (a heartbeat, evidence); nobody waits for it and it may be lost."""
        transaction = self._endorse(payload)
        try:
            effects = self._admit(transaction.id, transaction)
        except Refusal as refusal:
            return [Observe(Refused(refusal.code))]
        return [*effects, Forward(Offer((transaction,)))]

    def on_transactions(self, now: int, message: Transactions) -> Effects:
        """Take what a peer offers, if a validator endorsed it."""
        effects: Effects = []
        for transaction in message.transactions:
            identity = transaction.id
            held = self.mempool.held(identity)
            # What this node answers for keeps its own endorsement: another's could let it expire.
            if held is not None and (identity in self._own or not self._betters(transaction, held)):
                continue
            try:
                self._check_offer(identity, transaction)
                if held is not None:
                    self.mempool.remove(identity)
                effects += self._admit(identity, transaction)
            except Refusal as refusal:
                effects.append(Observe(Refused(refusal.code)))
        return effects

    def on_rejected(self, rejected: tuple[tuple[bytes, Code], ...]) -> Effects:
        """A builder refused these. One that is false is evidence against the node that signed it."""
        lies = [self.mempool.held(identity) for identity, code in rejected if code is Code.TX_PROOF_FALSE]
        proofs = [each.transaction.payload for each in lies if each is not None]
        gone = [(identity, code) for identity, code in rejected if self.mempool.reject(identity)]
        effects = [*self._forget([identity for identity, _ in gone]), *[Observe(Evicted(*each)) for each in gone]]
        # Its signature makes it evidence against the node that signed it, whoever handed it in (section 5).
        for proof in proofs:
            assert isinstance(proof, StorageProof), "nothing else is refused as one"
            effects += self.submit_own(FalseProof(proof))
        return effects

    def on_finalized(self, event: Finalized) -> Effects:
        """Drop what is final or expired; offer again what has waited for long."""
        self.height = event.height
        # Until then forgers were not heard (section 6): a final block is a measure of time that nobody can hurry.
        self._forged = {}
        for identity in event.transactions:
            self.mempool.remove(identity)
        effects = self._forget(event.transactions) + self._offer_again()
        for identity in self.mempool.expire(event.height + 1):
            assert identity not in self._own, "an accepted transaction is endorsed again before it expires"
            effects.append(Observe(Evicted(identity, Code.TX_EXPIRED)))
        return effects

    def _offer_again(self) -> Effects:
        """Offer own transactions that still wait, endorsed anew when half of their life is over."""
        due = self.height - self._limits.reoffer_blocks
        waiting = [identity for identity, height in self._own.items() if height <= due]
        again: list[Transaction] = []
        writes: list[Write] = []
        for identity in waiting:
            self._own[identity] = self.height
            transaction = self.mempool.transaction(identity)
            # Half a life is left to every leader that gets it, so what was accepted never expires (section 11).
            if transaction.valid_until - self.height < self._parameters.transaction_lifetime_blocks // 2:
                transaction = self._endorse(transaction.payload)
                self.mempool.replace(identity, transaction)
                writes.append((PENDING_TABLE, identity, encode(transaction)))
            again.append(transaction)
        effects: Effects = [Store(tuple(writes))] if writes else []
        page: list[Transaction] = []
        size = 0
        for transaction in again:
            page.append(transaction)
            size += transaction.size
            # Section 8's bound of a message, in number and in bytes: a node that waited for long has many of them.
            if len(page) == MAX_GOSSIP_TRANSACTIONS or size >= self._limits.page_bytes:
                effects.append(Forward(Offer(tuple(page))))
                page, size = [], 0
        return [*effects, Forward(Offer(tuple(page)))] if page else effects

    def _check(self, payload: Payload) -> None:
        """What can be judged of a client's payload without a ledger."""
        # Others take no offers but those of validators, so what this node accepted would go nowhere (section 6).
        if self._key not in self.validators:
            raise Refusal(Code.MEMPOOL_CLOSED)
        self._check_rules(payload)
        self._check_payload(payload)

    def _check_rules(self, payload: Payload) -> None:
        """Nodes of a release that does not know such a kind could not even read the message that offers it."""
        check_rules(type(payload), self.rules)

    def _check_payload(self, payload: Payload) -> None:
        """What can be judged of anyone's payload without a ledger; a builder would always refuse it."""
        # Before any signature. The endorsement comes on top, so `_admit` looks at the whole once more (rule 5001).
        if len(encode(payload)) > self._parameters.max_transaction_bytes:
            raise Refusal(Code.TX_SIZE)
        match payload:
            case SessionAnchor():
                check_anchor(payload)
                self._check_claim(payload.owner, payload, payload.signature)
            case ReplicaCommit() | ReplicaHolding() | StorageProof() | UptimeBeacon() | RelayReceipt() | NodeCapacity():
                self._check_claim(payload.node, payload, payload.signature)
            case RelayMandate():
                self._check_claim(payload.owner, payload, payload.signature)
            case FalseProof(proof):
                self._check_claim(proof.node, proof, proof.signature)
            case RegisterNode():
                self._check_approvals(payload)
                self._check_claim(payload.key, payload, payload.signature)
            case RetireNode() | ScheduleRules() | SetReplication():
                self._check_approvals(payload)
            case SetAdministrators():
                payload.administrators.check_bounds()
                self._check_approvals(payload)
                message = claim_message(self._chain_id, payload)
                payload.administrators.check_signed(payload.acceptances, message, self._crypto)
            case Equivocation(first, second):
                # Whether the signer is a member, and the epoch not ahead, only a ledger tells (section 6,
                # `equivocation`).
                if not (first.well_formed and second.well_formed and conflict(first, second)):
                    raise Refusal(Code.TX_EVIDENCE)
                self._check_vote(first)
                self._check_vote(second)
            case _:
                assert_never(payload)

    def _check_approvals(self, request: Administrative) -> None:
        """More of them than there are administrators, or one twice, would only fill the room of others."""
        self.administrators.check_signed(request.approvals, claim_message(self._chain_id, request), self._crypto)

    def _check_vote(self, vote: Vote) -> None:
        message = vote_message(self._chain_id, vote.epoch, vote.view, vote.kind, vote.block)
        # As it enters, not only as it is built: what never can enter a block must not take the room of what can
        # (section 6).
        if not self._crypto.verify(vote.signer, message, vote.signature):
            raise Refusal(Code.TX_SIGNATURE)

    def _check_claim(self, signer: bytes, payload: Payload, signature: bytes) -> None:
        # Of this chain alone: the claim names it (section 2, Hashes).
        if not self._crypto.verify(signer, claim_message(self._chain_id, payload), signature):
            raise Refusal(Code.TX_SIGNATURE)

    def _betters(self, transaction: Transaction, held: Waiting) -> bool:
        """Whether an endorsement is of use now, and the one that is held is not: it may be there to be in the way."""
        usable = held.transaction.valid_until in self._expiries(self.height + 1) and not held.rejections
        other = transaction.endorser != held.transaction.endorser
        return not usable and other and transaction.valid_until in self._expiries(self.height + 1)

    def candidates(self, height: int) -> tuple[Transaction, ...]:
        """What a block at `height` may hold, as much of it as fits."""
        parameters = self._parameters
        most, room = parameters.max_block_transactions, parameters.max_block_bytes
        return self.mempool.candidates(most, room, self._expiries(height))

    def _expiries(self, height: int) -> range:
        """The last heights of what may enter a block at `height` (section 6)."""
        return range(height, height + self._parameters.transaction_lifetime_blocks)

    def _check_offer(self, identity: bytes, transaction: Transaction) -> None:
        # A quota for each endorser bounds nothing if anybody can be one: of this epoch's set there are n (section 6).
        if transaction.endorser not in self.validators:
            raise Refusal(Code.TX_ENDORSER)
        # Each costs up to two signatures and, with approvals, many more.
        if self._forged.get(transaction.endorser, 0) >= MAX_FORGED:
            raise Refusal(Code.TX_ENDORSER, "too many of this endorser's did not hold")
        lifetime = self._parameters.transaction_lifetime_blocks
        # Two lifetimes: the endorser may be as far ahead of this node as one of them is long (section 6).
        if not self.height < transaction.valid_until <= self.height + 2 * lifetime:
            raise Refusal(Code.TX_EXPIRED)
        self._check_rules(transaction.payload)
        message = endorsement_message(self._chain_id, identity, transaction.valid_until)
        try:
            # Its endorser alone offers it (section 6), so a bad one is its own doing.
            if not self._crypto.verify(transaction.endorser, message, transaction.endorsement):
                raise Refusal(Code.TX_ENDORSER)
            self._check_payload(transaction.payload)
        except Refusal:
            # Offers come from their endorsers: an honest one has checked all this.
            self._forged[transaction.endorser] = self._forged.get(transaction.endorser, 0) + 1
            raise

    def _endorse(self, payload: Payload) -> Transaction:
        valid_until = self.height + self._parameters.transaction_lifetime_blocks
        unsigned = Transaction(payload=payload, endorser=self._key, valid_until=valid_until, endorsement=bytes(64))
        message = endorsement_message(self._chain_id, unsigned.id, valid_until)
        return structs.replace(unsigned, endorsement=self._crypto.sign(self._secret, message))

    def _admit(self, identity: bytes, transaction: Transaction) -> Effects:
        # No block may hold it (5001), so every builder would refuse it.
        if transaction.size > self._parameters.max_transaction_bytes:
            raise Refusal(Code.TX_SIZE)
        evicted = self.mempool.add(identity, transaction)
        if not evicted:
            return []
        return [*self._forget(evicted), *[Observe(Evicted(each, Code.MEMPOOL_FULL)) for each in evicted]]

    def _forget(self, identities: Sequence[bytes]) -> Effects:
        """Stop answering for those of our own, in one write however many they are."""
        writes = [
            (PENDING_TABLE, identity, None) for identity in identities if self._own.pop(identity, None) is not None
        ]
        return [Store(tuple(writes))] if writes else []
