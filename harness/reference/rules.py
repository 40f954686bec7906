"""The rules of transactions, one after another as the text lists them (protocol section 6)."""

from __future__ import annotations

from msgspec import structs

from harness.reference.relaying import NaiveRelays
from harness.reference.schedule import ONE
from harness.reference.state import NaiveState, require
from harness.reference.storage import NaiveStorage
from harness.reference.weights import NaiveWeights
from lucid.chain.codec import decode, encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.keys import Crypto
from lucid.chain.transactions import (
    Administrative,
    Equivocation,
    FalseProof,
    NodeCapacity,
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
    claim_message,
    endorsement_message,
)
from lucid.chain.votes import conflict, vote_message
from lucid.ledger.rows import HoldingEntry, SessionEntry, anchored_key, evidence_key, holding_key, replica_key
from lucid.poot.members import Member


class NaiveRules:
    """Judges a transaction on a state that already stands at its block's height, epoch and slot, and applies it."""

    def __init__(self, genesis: Genesis, crypto: Crypto) -> None:
        self.genesis = genesis
        self.parameters = genesis.parameters
        self.chain_id = genesis.chain_id
        self.crypto = crypto
        self._storage = NaiveStorage(genesis, crypto)
        self._relays = NaiveRelays(genesis, crypto)
        self._weights = NaiveWeights(genesis, crypto)

    def apply(self, state: NaiveState, transaction: Transaction) -> None:
        """Apply one transaction, or raise `Refusal` naming the first rule that it breaks."""
        require(len(encode(transaction)) <= self.parameters.max_transaction_bytes, Code.TX_SIZE)
        last = state.height + self.parameters.transaction_lifetime_blocks
        require(state.height <= transaction.valid_until < last, Code.TX_EXPIRED)
        require(state.active(transaction.endorser), Code.TX_ENDORSER)
        message = endorsement_message(self.chain_id, transaction.id, transaction.valid_until)
        require(self.crypto.verify(transaction.endorser, message, transaction.endorsement), Code.TX_ENDORSER)
        match transaction.payload:
            case SessionAnchor() as anchor:
                self._session_anchor(state, anchor)
            case ReplicaCommit() as commit:
                self._replica_commit(state, commit)
            case ReplicaHolding() as holding:
                self._replica_holding(state, holding)
            case StorageProof() | FalseProof() | RelayMandate() | RelayReceipt() as said:
                self._earning(state, said)
            case NodeCapacity() as capacity:
                self._weights.declare(state, capacity)
            case UptimeBeacon() as heartbeat:
                self._uptime_beacon(state, heartbeat)
            case RegisterNode() as registration:
                self._register_node(state, registration)
            case RetireNode() as retirement:
                self._retire_node(state, retirement)
            case Equivocation() as evidence:
                self._equivocation(state, evidence)
            case ScheduleRules() as wish:
                self._schedule_rules(state, wish)
            case SetReplication() as wish:
                self._set_replication(state, wish)
            case SetAdministrators() as wish:
                self._set_administrators(state, wish)

    def _earning(self, state: NaiveState, said: StorageProof | FalseProof | RelayMandate | RelayReceipt) -> None:
        match said:
            case StorageProof() as proof:
                self._storage.prove(state, proof)
            case FalseProof(proof):
                self._storage.accuse(state, proof)
            case RelayMandate() as mandate:
                self._relays.name(state, mandate)
            case RelayReceipt() as receipt:
                self._relays.receive(state, receipt)

    def _session_anchor(self, state: NaiveState, anchor: SessionAnchor) -> None:
        require(anchor.session[6] >> 4 == 4 and anchor.session[8] >> 6 == 2, Code.TX_FIELD)
        require(0 < anchor.chunks <= 1_000_000, Code.TX_FIELD)
        require(anchor.ended_ms >= anchor.started_ms, Code.TX_FIELD)
        require(len(anchor.policy) in {0, 32}, Code.TX_FIELD)
        message = claim_message(self.chain_id, anchor)
        require(self.crypto.verify(anchor.owner, message, anchor.signature), Code.TX_SIGNATURE)
        key = anchored_key(anchor.session, anchor.owner)
        require(key not in state.forever, Code.SESSION_DUPLICATE)
        entry = SessionEntry(state.height, anchor.owner, anchor.root, anchor.chunks, anchor.total_bytes)
        state.remember(key, encode(entry))

    def _replica_commit(self, state: NaiveState, commit: ReplicaCommit) -> None:
        require(state.rules_version < 3, Code.TX_RULES)
        require(state.number(commit.node) is not None, Code.TX_NOT_MEMBER)
        require(len(commit.ranges) > 0, Code.TX_FIELD)
        for first, count in commit.ranges:
            require(count > 0 and first + count <= 1_000_000, Code.TX_FIELD)
        for (first, count), (following, _) in zip(commit.ranges, commit.ranges[1:], strict=False):
            require(following > first + count, Code.TX_FIELD)
        message = claim_message(self.chain_id, commit)
        require(self.crypto.verify(commit.node, message, commit.signature), Code.TX_SIGNATURE)
        require(anchored_key(commit.session, commit.owner) in state.forever, Code.SESSION_UNKNOWN)
        key = replica_key(commit.session, commit.owner, commit.node)
        require(key not in state.forever, Code.REPLICA_DUPLICATE)
        state.remember(key, encode(commit.ranges))

    def _replica_holding(self, state: NaiveState, holding: ReplicaHolding) -> None:
        require(state.rules_version >= 3, Code.TX_RULES)
        require(state.active(holding.node), Code.TX_NOT_MEMBER)
        held = [chunk for first, count in holding.ranges for chunk in (first, first + count)]
        # Starts and ends strictly ascend: no range is empty, none touches the next.
        require(held == sorted(set(held)), Code.TX_FIELD)
        require(max(held, default=0) <= 1_000_000, Code.TX_FIELD)
        oldest = state.height - self.parameters.transaction_lifetime_blocks
        require(oldest <= holding.height < state.height, Code.TX_HOLDING_HEIGHT)
        message = claim_message(self.chain_id, holding)
        require(self.crypto.verify(holding.node, message, holding.signature), Code.TX_SIGNATURE)
        session = state.forever.get(anchored_key(holding.session, holding.owner))
        if session is None:
            raise Refusal(Code.SESSION_UNKNOWN)
        require(max(held, default=0) <= decode(session, SessionEntry).chunks, Code.TX_FIELD)
        key = holding_key(holding.session, holding.owner, holding.node)
        before = state.forever.get(key)
        if before is not None:
            require(decode(before, HoldingEntry).height < holding.height, Code.TX_HOLDING_HEIGHT)
        else:
            require(len(holding.ranges) > 0, Code.TX_FIELD)
        state.remember(key, encode(HoldingEntry(holding.height, holding.ranges)))
        self._storage.claim(state, holding)

    def _uptime_beacon(self, state: NaiveState, heartbeat: UptimeBeacon) -> None:
        number = state.number(heartbeat.node)
        if number is None or number not in state.validators:
            raise Refusal(Code.TX_NOT_MEMBER)
        require(heartbeat.slot < self.parameters.epoch_slots, Code.TX_BEACON_SLOT)
        slot = heartbeat.epoch * self.parameters.epoch_slots + heartbeat.slot
        require(slot in {state.slot, state.slot - 1}, Code.TX_BEACON_SLOT)
        require(slot in state.works, Code.TX_BEACON_SLOT)
        named = [block.hash for block in state.recent if block.slot == slot]
        named += [block.hash for block in state.recent if block.slot < slot][-1:]
        require(heartbeat.block in named, Code.TX_BEACON_BLOCK)
        message = claim_message(self.chain_id, heartbeat)
        require(self.crypto.verify(heartbeat.node, message, heartbeat.signature), Code.TX_SIGNATURE)
        _, beacons = state.work(slot)
        require(beacons[number] == 0, Code.TX_BEACON_TWICE)
        beacons[number] = 1

    def _register_node(self, state: NaiveState, registration: RegisterNode) -> None:
        require(0 < len(registration.name.encode()) <= 64, Code.TX_FIELD)
        require(len(registration.pool.encode()) <= 64, Code.TX_FIELD)
        require(not state.active(registration.key), Code.TX_MEMBER)
        self._approved(state, registration)
        message = claim_message(self.chain_id, registration)
        require(self.crypto.verify(registration.key, message, registration.signature), Code.TX_SIGNATURE)
        since = (state.epoch + 1) * self.parameters.epoch_slots
        member = Member(registration.key, registration.name, registration.pool, since, False)
        number = state.number(registration.key)
        if number is None:
            state.members.append(member)
            state.penalty_ppm.append(ONE)
            state.evidence_until.append(0)
        else:
            state.members[number] = member
        state.sequence += 1

    def _retire_node(self, state: NaiveState, retirement: RetireNode) -> None:
        number = state.number(retirement.key)
        if number is None or state.members[number].retired:
            raise Refusal(Code.TX_NOT_MEMBER)
        require(sum(not member.retired for member in state.members) > 1, Code.TX_LAST_MEMBER)
        self._approved(state, retirement)
        state.members[number] = structs.replace(state.members[number], retired=True)
        state.sequence += 1

    def _equivocation(self, state: NaiveState, evidence: Equivocation) -> None:
        first, second = evidence.first, evidence.second
        number = state.number(first.signer)
        if number is None:
            raise Refusal(Code.TX_NOT_MEMBER)
        require(first.well_formed and second.well_formed, Code.TX_EVIDENCE)
        require(conflict(first, second), Code.TX_EVIDENCE)
        require(first.epoch <= state.epoch, Code.TX_EVIDENCE)
        for vote in (first, second):
            message = vote_message(self.chain_id, vote.epoch, vote.view, vote.kind, vote.block)
            require(self.crypto.verify(vote.signer, message, vote.signature), Code.TX_SIGNATURE)
        key = evidence_key(number, first.epoch, first.view)
        require(key not in state.forever, Code.TX_EVIDENCE_TWICE)
        state.remember(key, b"\x01")
        until = state.epoch + self.parameters.evidence_epochs
        state.evidence_until[number] = max(state.evidence_until[number], until)

    def _schedule_rules(self, state: NaiveState, wish: ScheduleRules) -> None:
        if (wish.version, wish.height) == (0, 0):
            require(state.scheduled is not None, Code.TX_ACTIVATION)
        else:
            require(wish.version > state.rules_version, Code.TX_ACTIVATION)
            require(wish.height >= state.height + self.parameters.epoch_views, Code.TX_ACTIVATION)
        self._approved(state, wish)
        state.scheduled = (wish.version, wish.height) if wish.version else None
        state.sequence += 1

    def _set_replication(self, state: NaiveState, wish: SetReplication) -> None:
        require(state.rules_version >= 2, Code.TX_RULES)
        require(1 <= wish.factor <= 64, Code.TX_FIELD)
        self._approved(state, wish)
        state.replication = wish.factor
        state.sequence += 1

    def _set_administrators(self, state: NaiveState, wish: SetAdministrators) -> None:
        require(state.rules_version >= 5, Code.TX_RULES)
        require(1 <= len(wish.keys) <= 64, Code.TX_FIELD)
        require(all(wish.keys.count(key) == 1 for key in wish.keys), Code.TX_FIELD)
        require(1 <= wish.threshold <= len(wish.keys), Code.TX_FIELD)
        self._approved(state, wish)
        self._signed_by(wish.keys, wish.threshold, wish, wish.acceptances)
        state.next_administrators = wish.keys, wish.threshold
        state.sequence += 1

    def _approved(self, state: NaiveState, change: Administrative) -> None:
        """Enough administrators of this epoch signed the next of their acts."""
        require(change.sequence == state.sequence, Code.TX_ADMIN_SEQUENCE)
        administrators, threshold = state.administrators
        # A genesis without administrators has the threshold 0, which must not let everybody in.
        require(len(administrators) > 0, Code.TX_ADMIN_THRESHOLD)
        self._signed_by(administrators, threshold, change, change.approvals)

    def _signed_by(
        self, keys: tuple[bytes, ...], threshold: int, change: Administrative, signed: tuple[tuple[int, bytes], ...]
    ) -> None:
        indexes = [index for index, _ in signed]
        require(len(indexes) >= threshold, Code.TX_ADMIN_THRESHOLD)
        require(indexes == sorted(set(indexes)), Code.TX_ADMIN_THRESHOLD)
        message = claim_message(self.chain_id, change)
        for index, signature in signed:
            require(index < len(keys), Code.TX_SIGNATURE)
            require(self.crypto.verify(keys[index], message, signature), Code.TX_SIGNATURE)
