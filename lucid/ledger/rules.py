"""The rules of each transaction, in the order in which they are checked (protocol section 6).

`apply` names the first rule that fails by raising `Refusal`, and has then changed nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import structs

from lucid.chain.administrators import first_administrators
from lucid.chain.codec import decode, encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import NAME_BYTES, Genesis
from lucid.chain.keys import Crypto
from lucid.chain.placement import MAX_REPLICATION_FACTOR, MAX_WEIGHT
from lucid.chain.transactions import (
    MAX_CHUNKS,
    Administrative,
    Equivocation,
    FalseProof,
    NodeCapacity,
    Ranges,
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
    SignedClaim,
    StorageProof,
    Transaction,
    UptimeBeacon,
    check_rules,
    claim_message,
    endorsement_message,
)
from lucid.chain.votes import Vote, conflict, vote_message
from lucid.ledger.execution import Execution, read
from lucid.ledger.proofs import note_holding, prove
from lucid.ledger.relaying import name_relay, note_receipt
from lucid.ledger.rows import (
    WEIGHTS_KEY,
    AdministrationEntry,
    HoldingEntry,
    SessionEntry,
    anchored_key,
    evidence_key,
    false_proof_key,
    holding_key,
    replica_key,
)
from lucid.ledger.weights import declared, entry_of
from lucid.poot.members import Member

MARK = b"\x01"
UUID_VERSION_4 = 4
"""A random one (RFC 9562, 5.4): ids that are made up from a clock or an address would say where and when."""


class Rules:
    """The transaction rules of one chain."""

    def __init__(self, genesis: Genesis, crypto: Crypto) -> None:
        self.genesis = genesis
        self.chain_id = genesis.chain_id
        self.crypto = crypto
        self._first = AdministrationEntry(first_administrators(genesis), None)
        self._rules: dict[type, Callable[[Execution, Any], None]] = {
            SessionAnchor: self._session_anchor,
            ReplicaCommit: self._replica_commit,
            ReplicaHolding: self._replica_holding,
            StorageProof: self._storage_proof,
            FalseProof: self._false_proof,
            UptimeBeacon: self._uptime_beacon,
            RegisterNode: self._register_node,
            RetireNode: self._retire_node,
            Equivocation: self._equivocation,
            ScheduleRules: self._schedule_rules,
            SetReplication: self._set_replication,
            SetAdministrators: self._set_administrators,
            RelayMandate: self._relay_mandate,
            RelayReceipt: self._relay_receipt,
            NodeCapacity: self._node_capacity,
        }

    def apply(self, block: Execution, transaction: Transaction) -> None:
        """Check a transaction against the ledger as it stands within `block`, and let it take effect."""
        parameters = self.genesis.parameters
        # What costs a signature comes after what costs none; so a flood of what cannot enter is cheap to refuse.
        if len(encode(transaction)) > parameters.max_transaction_bytes:
            raise Refusal(Code.TX_SIZE)
        if not block.height <= transaction.valid_until < block.height + parameters.transaction_lifetime_blocks:
            raise Refusal(Code.TX_EXPIRED)
        # Somebody answers for what enters: strangers cannot fill blocks, and a node that lets them can be retired. Any
        # member, not validators alone: a new one need not wait for its epoch (section 11).
        number = member_number(block.members, transaction.endorser)
        if number is None or block.members[number].retired:
            raise Refusal(Code.TX_ENDORSER, "not a registered node")
        identity = transaction.id
        message = endorsement_message(self.chain_id, identity, transaction.valid_until)
        # Over the id and `valid_until`: an endorsement can be laid over no other payload, nor used beyond that height.
        if not self.crypto.verify(transaction.endorser, message, transaction.endorsement):
            raise Refusal(Code.TX_ENDORSER, "signature does not hold")
        kind = type(transaction.payload)
        check_rules(kind, block.rules.version)
        self._rules[kind](block, transaction.payload)
        block.transactions.append(identity)

    def _signed(self, key: bytes, payload: SignedClaim | RegisterNode) -> None:
        # The claim names the chain (section 2, Hashes): what was signed for one chain holds on no other.
        if not self.crypto.verify(key, claim_message(self.chain_id, payload), payload.signature):
            raise Refusal(Code.TX_SIGNATURE)

    @staticmethod
    def _active(block: Execution, key: bytes) -> int:
        """The number of a member that is not retired."""
        number = member_number(block.members, key)
        if number is None or block.members[number].retired:
            raise Refusal(Code.TX_NOT_MEMBER)
        return number

    def _session_anchor(self, block: Execution, anchor: SessionAnchor) -> None:
        check_anchor(anchor)
        self._signed(anchor.owner, anchor)
        # By owner and id: whoever saw an anchor on its way could else anchor its id first (section 11).
        key = anchored_key(anchor.session, anchor.owner)
        if read(block, key) is not None:
            raise Refusal(Code.SESSION_DUPLICATE)
        block.rows[key] = encode(
            SessionEntry(block.height, anchor.owner, anchor.root, anchor.chunks, anchor.total_bytes)
        )

    def _replica_commit(self, block: Execution, commit: ReplicaCommit) -> None:
        if member_number(block.members, commit.node) is None:
            raise Refusal(Code.TX_NOT_MEMBER)
        # Rules 1 and 2 alone have it, and no node ever sent one (section 8): blocks that hold some stay valid.
        if ranges_end(commit.ranges, MAX_CHUNKS) == 0:
            raise Refusal(Code.TX_FIELD, "ranges are empty")
        self._signed(commit.node, commit)
        # Else anybody's node could fill the state with rows of sessions that never were.
        if read(block, anchored_key(commit.session, commit.owner)) is None:
            raise Refusal(Code.SESSION_UNKNOWN)
        key = replica_key(commit.session, commit.owner, commit.node)
        # What was said on the chain stood forever, until rules 3 (section 11).
        if read(block, key) is not None:
            raise Refusal(Code.REPLICA_DUPLICATE)
        block.rows[key] = encode(commit.ranges)

    def _replica_holding(self, block: Execution, holding: ReplicaHolding) -> None:
        self._active(block, holding.node)
        ranges_end(holding.ranges, MAX_CHUNKS)
        self._recent(block, holding.height)
        self._signed(holding.node, holding)
        # How many chunks it has only its anchor tells, and rows of sessions that never were would stay.
        session = read(block, anchored_key(holding.session, holding.owner))
        if session is None:
            raise Refusal(Code.SESSION_UNKNOWN)
        ranges_end(holding.ranges, decode(session, SessionEntry).chunks)
        key = holding_key(holding.session, holding.owner, holding.node)
        before = read(block, key)
        # The last word counts: blocks may bring two of them in any order.
        if before is not None and decode(before, HoldingEntry).height >= holding.height:
            raise Refusal(Code.TX_HOLDING_HEIGHT, "it said something else later")
        # Else anybody's node could fill the state with rows of sessions that it never held.
        if before is None and not holding.ranges:
            raise Refusal(Code.TX_FIELD, "ranges are empty, and there is nothing to take back")
        block.rows[key] = encode(HoldingEntry(holding.height, holding.ranges))
        note_holding(block, holding)

    def _recent(self, block: Execution, height: int) -> None:
        # A recent height, above that of the last one: others cannot say again what the node said once (section 11).
        if not block.height - self.genesis.parameters.transaction_lifetime_blocks <= height < block.height:
            raise Refusal(Code.TX_HOLDING_HEIGHT, f"this is block {block.height}")

    def _storage_proof(self, block: Execution, proof: StorageProof) -> None:
        number = self._active(block, proof.node)
        if not all(answer.in_bounds for answer in proof.answers):
            raise Refusal(Code.TX_FIELD, "no chunk has such a segment")
        # What is to be shown is drawn by the epoch's own beacon (section 5, Storage).
        if proof.epoch != block.epoch:
            raise Refusal(Code.TX_PROOF_EPOCH, f"this is epoch {block.epoch}")
        self._signed(proof.node, proof)
        prove(block, proof, number)

    def _false_proof(self, block: Execution, evidence: FalseProof) -> None:
        """Whatever was drawn: no honest node signs an answer that does not lead to the root."""
        proof = evidence.proof
        # Retired ones too: evidence counts from the block that carries it, and a retired key may come back (section
        # 11).
        number = member_number(block.members, proof.node)
        if number is None:
            raise Refusal(Code.TX_NOT_MEMBER)
        # Evidence may be old, but its epoch must not lie ahead (section 11).
        if proof.epoch > block.epoch:
            raise Refusal(Code.TX_PROOF_EPOCH, f"this is epoch {block.epoch}")
        self._signed(proof.node, proof)
        # What is false is so by the anchored root: of a session that is not anchored nobody can say.
        anchored = read(block, anchored_key(proof.session, proof.owner))
        if anchored is None:
            raise Refusal(Code.SESSION_UNKNOWN)
        session = decode(anchored, SessionEntry)
        # Missing, stale or of another draw is no evidence: an honest node may be late, but signs nothing false.
        if proof.leads_to(session.root, session.chunks):
            raise Refusal(Code.TX_PROOF_TRUE)
        self._accuse(block, number, false_proof_key(number, proof.epoch))

    def _relay_mandate(self, block: Execution, mandate: RelayMandate) -> None:
        self._active(block, mandate.relay)
        self._signed(mandate.owner, mandate)
        name_relay(block, mandate)

    def _relay_receipt(self, block: Execution, receipt: RelayReceipt) -> None:
        self._active(block, receipt.node)
        # Its own copy is the relay's as under rules 4 (section 5, Relay), and one for nothing would be the row of a
        # copy that is settled.
        if receipt.node == receipt.relay or receipt.chunks == 0:
            raise Refusal(Code.TX_FIELD, "a receipt is of another node, for one chunk or more")
        self._signed(receipt.node, receipt)
        note_receipt(block, receipt)

    def _node_capacity(self, block: Execution, capacity: NodeCapacity) -> None:
        number = self._active(block, capacity.node)
        # More lots than that would be drawn for each chunk (section 11, Weights).
        if not 0 < capacity.tickets <= MAX_WEIGHT:
            raise Refusal(Code.TX_FIELD, f"tickets must be within 1..{MAX_WEIGHT}")
        self._recent(block, capacity.height)
        self._signed(capacity.node, capacity)
        row = read(block, WEIGHTS_KEY)
        # The last word counts, as of holdings: blocks may bring two of them in any order.
        if entry_of(row, number).height >= capacity.height:
            raise Refusal(Code.TX_HOLDING_HEIGHT, "it declared something else later")
        block.rows[WEIGHTS_KEY] = declared(row, number, capacity)

    def _uptime_beacon(self, block: Execution, beacon: UptimeBeacon) -> None:
        number = member_number(block.members, beacon.node)
        # Uptime is what leading asks for, so it is counted of validators.
        if number is None or number not in block.validators:
            raise Refusal(Code.TX_NOT_MEMBER)
        slots = self.genesis.parameters.epoch_slots
        slot = beacon.epoch * slots + beacon.slot
        held = slot == block.slot or any(recent.slot == slot for recent in block.recent)
        if beacon.slot >= slots or not block.slot - 1 <= slot <= block.slot or not held:
            raise Refusal(Code.TX_BEACON_SLOT)
        # It names a block that was new then, so that heartbeats cannot be signed ahead.
        named = [recent.hash for recent in block.recent if recent.slot == slot]
        before = [recent.hash for recent in block.recent if recent.slot < slot]
        if beacon.block not in named and beacon.block not in before[-1:]:
            raise Refusal(Code.TX_BEACON_BLOCK)
        self._signed(beacon.node, beacon)
        # Last, as it may have to read a row of the store; once a slot, since held slots count once too.
        if block.counted(number, slot):
            raise Refusal(Code.TX_BEACON_TWICE)
        block.count_beacon(number, slot)

    def _register_node(self, block: Execution, request: RegisterNode) -> None:
        # The roster is read by every block, so what each member may add to it is bounded as in genesis (section 3).
        if not 0 < len(request.name.encode()) <= NAME_BYTES or len(request.pool.encode()) > NAME_BYTES:
            raise Refusal(Code.TX_FIELD, "name or pool has a bad length")
        # Registered anew its credits, beacons and held become 0 (section 6): who is a member keeps its record.
        number = member_number(block.members, request.key)
        if number is not None and not block.members[number].retired:
            raise Refusal(Code.TX_MEMBER)
        self._approved(block, request)
        # The key signs too, so that nobody can put keys into the validator set that are not theirs (section 6).
        self._signed(request.key, request)
        # With the next epoch, as validator sets change: no two sets ever decide one view (section 4).
        since = (block.epoch + 1) * self.genesis.parameters.epoch_slots
        block.admit(
            Member(request.key, request.name, request.pool, since, False),
            len(block.members) if number is None else number,
        )
        block.sequence += 1

    def _retire_node(self, block: Execution, request: RetireNode) -> None:
        number = self._active(block, request.key)
        # A chain without validators ends (section 11).
        if sum(not member.retired for member in block.members) == 1:
            raise Refusal(Code.TX_LAST_MEMBER)
        self._approved(block, request)
        member = block.members[number]
        block.members[number] = Member(member.key, member.name, member.pool, member.since, True)
        block.sequence += 1

    def _schedule_rules(self, block: Execution, request: ScheduleRules) -> None:
        """Whoever runs an older release has an epoch's blocks to upgrade in, and administrators to think again in."""
        rules = block.rules
        # Both 0 calls off what is scheduled. Never back: blocks of newer rules stay on the chain (section 12, Rules).
        if request.version or request.height:
            soonest = block.height + self.genesis.parameters.epoch_views
            if request.version <= rules.version or request.height < soonest:
                raise Refusal(Code.TX_ACTIVATION, f"above version {rules.version}, from height {soonest} on")
        # Nothing to call off: the number of the decision would be spent on one that changes nothing.
        elif not rules.next_version:
            raise Refusal(Code.TX_ACTIVATION, "nothing is scheduled")
        self._approved(block, request)
        block.rules = rules.scheduling(request.version, request.height)
        block.sequence += 1

    def _set_replication(self, block: Execution, request: SetReplication) -> None:
        # At 0 chunks would belong nowhere, and be let go.
        if not 0 < request.factor <= MAX_REPLICATION_FACTOR:
            raise Refusal(Code.TX_FIELD, f"factor must be within 1..{MAX_REPLICATION_FACTOR}")
        self._approved(block, request)
        block.rules = structs.replace(block.rules, replication_factor=request.factor)
        block.sequence += 1

    def _set_administrators(self, block: Execution, request: SetAdministrators) -> None:
        following = request.administrators
        following.check_bounds()
        self._approved(block, request)
        # So many of them sign as will have to, or a typing error could leave the chain without decisions (section 6).
        following.check_signed(request.acceptances, claim_message(self.chain_id, request), self.crypto)
        block.administration = AdministrationEntry((block.administration or self._first).current, following)
        block.sequence += 1

    def _approved(self, block: Execution, request: Administrative) -> None:
        # Decisions have one order, and none counts twice.
        if request.sequence != block.sequence:
            raise Refusal(Code.TX_ADMIN_SEQUENCE, f"next is {block.sequence}")
        # Those of the block's epoch: what others approved before them counts no more.
        current = (block.administration or self._first).current
        current.check_signed(request.approvals, claim_message(self.chain_id, request), self.crypto)

    def _equivocation(self, block: Execution, evidence: Equivocation) -> None:
        first, second = evidence.first, evidence.second
        number = member_number(block.members, first.signer)
        if number is None:
            raise Refusal(Code.TX_NOT_MEMBER)
        # Evidence may be old; it counts from the block that carries it (section 11).
        if not (first.well_formed and second.well_formed and conflict(first, second)) or first.epoch > block.epoch:
            raise Refusal(Code.TX_EVIDENCE)
        if not (self._vote_holds(first) and self._vote_holds(second)):
            raise Refusal(Code.TX_SIGNATURE)
        self._accuse(block, number, evidence_key(number, first.epoch, first.view))

    def _accuse(self, block: Execution, number: int, key: bytes) -> None:
        """Evidence counts once, for so many epochs."""
        # Else one act would be carried on again and again, and hold the guilty down for longer than it should.
        if read(block, key) is not None:
            raise Refusal(Code.TX_EVIDENCE_TWICE)
        block.rows[key] = MARK
        until = block.epoch + self.genesis.parameters.evidence_epochs
        block.evidence_until[number] = max(block.evidence_until[number], until)

    def _vote_holds(self, vote: Vote) -> bool:
        message = vote_message(self.chain_id, vote.epoch, vote.view, vote.kind, vote.block)
        return self.crypto.verify(vote.signer, message, vote.signature)


def check_anchor(anchor: SessionAnchor) -> None:
    """Check what can be judged of an anchor by itself; raises `Refusal` with `TX_FIELD`."""
    # A random id (section 6): two sessions of an owner never share one, and it tells nothing of time or device.
    if anchor.session[6] >> 4 != UUID_VERSION_4 or anchor.session[8] >> 6 != 0b10:
        raise Refusal(Code.TX_FIELD, "session is not a version 4 UUID")
    # A storage proof names a chunk by its place, with a path of `MAX_CHUNK_PATH` hashes at most (section 5).
    if not 0 < anchor.chunks <= MAX_CHUNKS:
        raise Refusal(Code.TX_FIELD, f"chunks must be within 1..{MAX_CHUNKS}")
    # Not compared with the block's time: when it was recorded is the owner's word, which receipts pass on as such.
    if anchor.ended_ms < anchor.started_ms:
        raise Refusal(Code.TX_FIELD, "ended before it started")
    if len(anchor.policy) not in (0, 32):
        raise Refusal(Code.TX_FIELD, "policy is not a hash")


def ranges_end(ranges: Ranges, chunks: int) -> int:
    """Where the last range ends; raises `Refusal` unless they ascend, apart, within so many chunks."""
    end = -1
    for first, count in ranges:
        # A chunk at least between two ranges: one encoding for one set (section 11).
        if first <= end or count == 0 or first + count > chunks:
            raise Refusal(Code.TX_FIELD, "ranges must ascend, apart, within the session")
        end = first + count
    return max(end, 0)


def member_number(members: list[Member], key: bytes) -> int | None:
    """The number of a registered node, retired or not."""
    for number, member in enumerate(members):
        if member.key == key:
            return number
    return None
