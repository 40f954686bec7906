"""Transactions: what a block may carry, their ids and what each signature covers (protocol section 6)."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Annotated, Any

from msgspec import Meta, structs

from lucid.chain.administrators import AdministratorKeys, Administrators, Approvals
from lucid.chain.challenges import ANSWERS, SegmentAnswer
from lucid.chain.codec import HashedRecord, Record, encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.fields import Key, Natural
from lucid.chain.hashing import claim_digest, endorsement_digest, transaction_digest
from lucid.chain.versions import (
    ADMINISTRATOR_RULES,
    CAPACITY_RULES,
    FIRST_RULES,
    HOLDING_RULES,
    PROOF_RULES,
    RELAY_RULES,
    REPLICATION_RULES,
)
from lucid.chain.votes import Hash, OptionalHash, Signature, Vote

MAX_CHUNKS = 1_000_000
"""Of one session (protocol section 6, the rules of `session_anchor`)."""
MAX_RANGES = 4_096
"""Of one transaction (protocol section 6): some 40 KiB of a block."""
CLAIMS_KEPT = 256
"""Payloads whose signed bytes are remembered: a node asks for them when a transaction is offered, and in each block
that holds it. Chosen: a message offers so many. At half, one full message pushes its own out; at double, payloads of 64
KiB may take 32 MiB of a Pi for what an encoding and a hash make again."""
ENDORSEMENTS_KEPT = 4_096
"""Messages that endorsers sign: a node asks for each when a transaction is offered, and in its block. Chosen: four
blocks' worth, as 1 000 fit into one. At half, what waits for three blocks is hashed twice; at double, little is
gained."""

Ranges = Annotated[tuple[tuple[Natural, Natural], ...], Meta(max_length=MAX_RANGES)]
"""Chunks of a session as ascending (first, count), at least one chunk apart: one encoding for one set."""
Answers = Annotated[tuple[SegmentAnswer, ...], Meta(min_length=ANSWERS, max_length=ANSWERS)]
SESSION_ID_BYTES = 16
"""Of a UUID (RFC 9562; section 2, session id)."""
SessionId = Annotated[bytes, Meta(min_length=SESSION_ID_BYTES, max_length=SESSION_ID_BYTES)]


class SessionAnchor(Record, tag=1):
    """A recorded session, which its owner anchors once, ever, and signs. Times in ms since the Unix epoch.

    A session is (owner, session id): whoever anchors the same id with another key anchors another session.
    """

    session: SessionId
    owner: Key
    started_ms: Natural
    ended_ms: Natural
    manifest: Hash
    root: Hash
    chunks: Natural
    total_bytes: Natural
    policy: OptionalHash
    signature: Signature

    @property
    def identity(self) -> bytes:
        """The session: its id and then its owner, 48 bytes."""
        return self.session + self.owner


class ReplicaCommit(Record, tag=2):
    """A node's promise to hold chunks of an anchored session, as ascending (first, count) ranges. Until rules 3, which
    have `ReplicaHolding` instead: a promise that cannot be taken back outlives a lost card."""

    node: Key
    owner: Key
    session: SessionId
    ranges: Ranges
    signature: Signature


class UptimeBeacon(Record, tag=3):
    """A node's heartbeat of one slot, naming the last block before the slot or one of it."""

    node: Key
    epoch: Natural
    slot: Natural
    block: Hash
    signature: Signature


class RegisterNode(Record, tag=4):
    """Administrators admit a node from the next epoch on; `approvals` are (administrator index, signature).

    The new key signs too, so that nobody registers a key that is not theirs.
    """

    key: Key
    name: str
    pool: str
    sequence: Natural
    approvals: Approvals
    signature: Signature


class RetireNode(Record, tag=5):
    """Administrators retire a node from the next epoch on."""

    key: Key
    sequence: Natural
    approvals: Approvals


class Equivocation(Record, tag=6):
    """Evidence: two votes that no honest validator signs both."""

    first: Vote
    second: Vote


class ScheduleRules(Record, tag=7):
    """Administrators schedule rules of this version from a height on, in place of what is scheduled; 0 and 0: none."""

    version: Natural
    height: Natural
    sequence: Natural
    approvals: Approvals


class SetReplication(Record, tag=8):
    """Administrators set how many copies each chunk has, from this block on. Of rules 2."""

    factor: Natural
    sequence: Natural
    approvals: Approvals


class ReplicaHolding(Record, tag=9):
    """The chunks of an anchored session that a node holds and has verified, in place of what it said before.

    Of rules 3. No ranges: none any more. `height` is that of a final block, and higher each time, so that what a node
    said once cannot be said again by others.
    """

    node: Key
    owner: Key
    session: SessionId
    height: Natural
    ranges: Ranges
    signature: Signature


class StorageProof(Record, tag=10):
    """A node shows the segments that an epoch's beacon draws of a session that it said it holds. Of rules 4."""

    node: Key
    owner: Key
    session: SessionId
    epoch: Natural
    answers: Answers
    signature: Signature

    def leads_to(self, root: bytes, chunks: int) -> bool:
        """Whether all answers lead to the root of a session of so many chunks. An honest node signs no others."""
        return all(answer.leads_to(root, chunks) for answer in self.answers)


class FalseProof(Record, tag=11):
    """Evidence: a storage proof that its node signed, and that does not lead to the session's root. Of rules 4."""

    proof: StorageProof


class SetAdministrators(Record, tag=12):
    """Administrators hand on to these, from the next epoch on. Of rules 5.

    `acceptances` are (place in `keys`, signature), of as many as will have to approve: a set that nobody could sign for
    would leave the chain without decisions forever.
    """

    keys: AdministratorKeys
    threshold: Natural
    sequence: Natural
    approvals: Approvals
    acceptances: Approvals

    @property
    def administrators(self) -> Administrators:
        """The set that it names."""
        return Administrators(self.keys, self.threshold)


class RelayMandate(Record, tag=13):
    """An owner says which node it handed a session to, for that to be paid where it brings copies. Of rules 6."""

    relay: Key
    owner: Key
    session: SessionId
    signature: Signature


class RelayReceipt(Record, tag=14):
    """A node says how many of the chunks that it holds of a session came from the session's relay. Of rules 6.

    `height` is that of what it said last that it holds: said anew, that has another receipt.
    """

    node: Key
    relay: Key
    owner: Key
    session: SessionId
    height: Natural
    chunks: Natural
    signature: Signature


class NodeCapacity(Record, tag=15):
    """A node declares what it has room for, in tickets, in place of what it declared before. Of rules 7.

    `height` is that of a final block, and higher each time, as in `ReplicaHolding`.
    """

    node: Key
    height: Natural
    tickets: Natural
    signature: Signature


Administrative = RegisterNode | RetireNode | ScheduleRules | SetReplication | SetAdministrators
"""What administrators approve, one after the other by its number."""
SignedClaim = (
    SessionAnchor
    | ReplicaCommit
    | ReplicaHolding
    | StorageProof
    | UptimeBeacon
    | RelayMandate
    | RelayReceipt
    | NodeCapacity
)
"""What its owner or node signs."""
Payload = SignedClaim | Equivocation | FalseProof | Administrative

RULES_NEEDED: dict[type[Record], int] = {
    SetReplication: REPLICATION_RULES,
    ReplicaHolding: HOLDING_RULES,
    StorageProof: PROOF_RULES,
    FalseProof: PROOF_RULES,
    SetAdministrators: ADMINISTRATOR_RULES,
    RelayMandate: RELAY_RULES,
    RelayReceipt: RELAY_RULES,
    NodeCapacity: CAPACITY_RULES,
}
"""The version of the rules from which on there is a kind of payload; the others are there from the first on."""
RULES_ENDED: dict[type[Record], int] = {ReplicaCommit: HOLDING_RULES}
"""The version of the rules from which on there is a kind of payload no more."""


def check_rules(kind: type[Record], version: int) -> None:
    """Whether the rules of a version have this kind of payload; raises `Refusal` with `TX_RULES`."""
    if not RULES_NEEDED.get(kind, FIRST_RULES) <= version < RULES_ENDED.get(kind, version + 1):
        raise Refusal(Code.TX_RULES)


class Transaction(HashedRecord):
    """A payload endorsed by the node that admitted it; it may enter blocks up to height `valid_until`."""

    payload: Payload
    endorser: Key
    valid_until: Natural
    endorsement: Signature

    @cached_property
    def id(self) -> bytes:
        """32-byte id, which leaves the endorsement out."""
        # Endorsed anew, or by another, it is the same transaction: a client follows it by one id (section 6).
        return transaction_digest(encode(self.payload))

    @cached_property
    def size(self) -> int:
        """Bytes of its encoding."""
        return len(encode(self))


@lru_cache(maxsize=CLAIMS_KEPT)
def claim_message(chain_id: bytes, payload: Payload) -> bytes:
    """The 32 bytes that the owner, the node or each administrator signs: the payload without its signatures."""
    # Signatures are left out: none can sign itself, and approvals gather one after the other (section 2).
    blank: dict[str, Any] = {"approvals": ()} if isinstance(payload, Administrative) else {}
    if isinstance(payload, SetAdministrators):
        blank["acceptances"] = ()
    elif not isinstance(payload, RetireNode | ScheduleRules | SetReplication):
        blank["signature"] = b""
    return claim_digest(encode((chain_id, structs.replace(payload, **blank))))


@lru_cache(maxsize=ENDORSEMENTS_KEPT)
def endorsement_message(chain_id: bytes, transaction_id: bytes, valid_until: int) -> bytes:
    """The 32 bytes that the endorsing node signs."""
    return endorsement_digest(encode((chain_id, transaction_id, valid_until)))
