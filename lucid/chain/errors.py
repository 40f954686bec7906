"""The errors of the chain: one base class, and the stable codes that name each refusal."""

from __future__ import annotations

from enum import IntEnum

from lucid.chain.printable import printable
from lucid.chain.reducederror import Reduced, reduced


class Code(IntEnum):
    """A stable refusal code (`LUCID_ERR_nnnn`) with one sentence that says what was wrong.

    1xxx messages, encoding and storage, 2xxx genesis and configuration, 3xxx requests, 4xxx blocks, 5xxx transactions,
    6xxx anchoring, 7xxx consensus, 8xxx Merkle and state.
    """

    MALFORMED = (1001, "bytes do not decode to the expected shape")
    NOT_CANONICAL = (1002, "bytes decode but are not the canonical encoding")
    OVERSIZED = (1003, "message exceeds its limit")
    REPLAYED = (1004, "message was already received")
    UNEXPECTED = (1005, "answer to a question that was not asked")
    THROTTLED = (1006, "peer asks for more than its share")
    UNKNOWN_KIND = (1007, "message is of a kind that this release does not know")

    STORE_FAILED = (1101, "store cannot read or write")
    STORE_FULL = (1102, "store has no room")
    STORE_OTHER = (1103, "store belongs to something else")
    STORE_DAMAGED = (1104, "store is damaged")

    GENESIS = (2001, "genesis document cannot be used")
    CONFIG = (2002, "configuration is wrong")
    KEY = (2003, "key file cannot be used")

    REQUEST = (3001, "request is wrong")
    NOT_FOUND = (3002, "what was asked for does not exist")
    METHOD = (3003, "method is not allowed here")
    TOO_LARGE = (3004, "body exceeds its limit")
    TOO_SLOW = (3005, "body did not arrive in time")
    TOKEN = (3006, "a token is needed")
    TOO_MANY = (3007, "too many requests")
    UNAVAILABLE = (3008, "service cannot do this now")
    INTERNAL = (3009, "service failed")
    FOREIGN = (3010, "request comes from another site")
    MEDIA_TYPE = (3011, "content type is not taken here")
    NOT_YOURS = (3012, "this belongs to somebody else")
    RANGE = (3013, "range is not within it")
    API_VERSION = (3014, "version of the API is not spoken here")

    BLOCK_VERSION = (4001, "block version or chain id is not this chain's")
    BLOCK_SIZE = (4002, "block exceeds its byte or transaction limit")
    BLOCK_PARENT = (4003, "parent is unknown")
    BLOCK_HEIGHT = (4004, "height is not the parent's plus one")
    BLOCK_EPOCH = (4005, "epoch does not follow from the parent")
    BLOCK_VIEW = (4006, "view is not above the parent's")
    BLOCK_TICK = (4007, "timestamp is not above the parent's")
    BLOCK_LEADER = (4008, "proposer does not lead this view on this parent")
    BLOCK_SIGNATURE = (4009, "proposer's signature does not hold")
    BLOCK_VRF = (4010, "VRF proof or beacon does not hold")
    BLOCK_CERTIFICATE = (4011, "parent certificate does not hold")
    BLOCK_LATE_VOTES = (4012, "a late vote does not hold or was already credited")
    BLOCK_TRANSACTIONS_ROOT = (4013, "transaction root does not match the body")
    BLOCK_STATE_ROOT = (4014, "state root does not match the ledger after the block")
    BLOCK_VALIDATORS = (4015, "validator set hash does not match the ledger")
    BLOCK_CLOSED = (4016, "parent closes its epoch: nothing is built on it within the epoch")

    TX_SIZE = (5001, "transaction exceeds its byte limit")
    TX_ENDORSER = (5002, "endorser is not a registered node or its signature does not hold")
    TX_EXPIRED = (5003, "transaction has expired or lives too long")
    TX_SIGNATURE = (5004, "signature does not hold")
    TX_FIELD = (5005, "a field is out of its bounds")
    TX_BEACON_SLOT = (5006, "heartbeat is for a slot that this block cannot count")
    TX_BEACON_BLOCK = (5007, "heartbeat names a block that is not of its slot nor the last before it")
    TX_BEACON_TWICE = (5008, "heartbeat of this node and slot is already counted")
    TX_NOT_MEMBER = (5009, "node is not registered")
    TX_MEMBER = (5010, "node is already registered")
    TX_ADMIN_SEQUENCE = (5011, "administrative sequence number is not the next")
    TX_ADMIN_THRESHOLD = (5012, "not enough administrators signed")
    TX_EVIDENCE = (5013, "the two votes are not evidence")
    TX_EVIDENCE_TWICE = (5014, "this evidence is already on the chain")
    TX_LAST_MEMBER = (5015, "the last node cannot be retired")
    TX_RULES = (5016, "transaction needs rules that are not in force")
    TX_ACTIVATION = (5017, "rules cannot be scheduled like this")
    TX_HOLDING_HEIGHT = (5018, "height is not recent, or not above that of what the node said last")
    TX_PROOF_EPOCH = (5019, "storage proof is of another epoch")
    MEMPOOL_FULL = (5020, "mempool has no room for this transaction")
    MEMPOOL_KNOWN = (5021, "transaction is already known")
    MEMPOOL_CLOSED = (5022, "node cannot endorse: it is not a registered node")
    TX_PROOF_DUE = (5023, "node said nothing that it may prove now: not before this epoch, or it is proven")
    TX_PROOF_DRAW = (5024, "storage proof is not of what is drawn")
    TX_PROOF_FALSE = (5025, "storage proof does not lead to the session's root")
    TX_PROOF_TRUE = (5026, "storage proof is not false: it accuses nobody")
    TX_RELAY_TWICE = (5027, "session has a relay, or this copy has a receipt or is settled")
    TX_RELAY_STALE = (5028, "session was anchored too long ago, or the node said something else of it since")
    TX_RELAY_CLAIM = (5029, "receipt is for more chunks than the node said that it holds")
    TX_RELAY_OTHER = (5030, "receipt is for a relay that the owner did not name")

    MANIFEST = (6001, "manifest does not have the expected shape")
    MANIFEST_CHUNKS = (6002, "manifest's chunk list contradicts itself")
    MANIFEST_ROOT = (6003, "manifest's Merkle root is not that of its chunks")
    MANIFEST_SIGNATURE = (6004, "owner's signature does not hold")
    SESSION_UNKNOWN = (6005, "session is not anchored")
    SESSION_DUPLICATE = (6006, "session is already anchored by this owner")
    REPLICA_DUPLICATE = (6007, "this node already committed to this session")
    SESSION_CONFLICT = (6008, "owner has another manifest under this session id")
    SESSION_FAILED = (6013, "session was accepted and cannot be anchored")
    SESSION_OWNERS = (6009, "session id has several owners: say which")
    RECEIPT_INVALID = (6010, "receipt does not prove what it says")
    RECEIPT_CHECKPOINT = (6011, "receipt does not reach the checkpoint: it is not covered")
    RECEIPT_OTHER = (6012, "receipt is of another session or owner")

    CHUNK_SIZE = (6020, "a chunk has 1 KiB to 16 MiB")
    CHUNK_ID = (6021, "bytes do not have this chunk id")
    CHUNK_CORRUPT = (6022, "stored chunk is damaged")
    CHUNK_SEALED = (6023, "chunk does not open")
    CHUNK_OTHER = (6024, "file is not a chunk of this session")

    VOTE_EPOCH = (7001, "vote or certificate is of another epoch")
    VOTE_SIGNER = (7002, "signer is not a validator of the epoch")
    VOTE_SIGNATURE = (7003, "vote signature does not hold")
    VOTE_FAR = (7004, "view is too far ahead to keep")
    CERTIFICATE_INVALID = (7005, "certificate does not hold")
    PROPOSAL_STALE = (7006, "proposal is of a view already left")
    PROPOSAL_INVALID = (7007, "proposal is not signed by the leader of its view")
    PROPOSAL_EQUIVOCATES = (7009, "leader has already proposed another block in this view")
    FINALITY_INVALID = (7011, "a finality certificate or the closing of an epoch does not hold")
    RULES_UNKNOWN = (7012, "node is too old for the rules of the chain")
    SYNC_INVALID = (7010, "blocks or certificates offered by a peer do not hold")

    SNAPSHOT_INVALID = (8001, "snapshot does not match a certified state root")

    sentence: str
    code: str

    def __new__(cls, number: int, sentence: str) -> Code:
        """Make a member whose value is its number."""
        member = int.__new__(cls, number)
        member._value_ = number
        member.sentence = sentence
        member.code = f"LUCID_ERR_{number}"
        return member


MAX_DETAIL = 2_000
"""Characters of a detail that are kept. Chosen: a detail may quote what a stranger sent, and stands in one line of a
log. At half, fifteen keys of 64 hexadecimal digits fit no more; at double, one error fills a screen."""


class LucidError(Exception):
    """Base of every error that this project raises on purpose.

    `code` is stable and meant for programs, `detail` for people and safe to show; `str()` joins them.
    """

    def __init__(self, code: Code, detail: str = "") -> None:
        detail = printable(detail if len(detail) <= MAX_DETAIL else detail[:MAX_DETAIL] + "...")
        super().__init__(f"{code.code}: {code.sentence}" + (f" ({detail})" if detail else ""))
        self.code = code
        self.detail = detail

    def __reduce__(self) -> Reduced:
        return reduced(self)


class Refusal(LucidError):
    """Something from outside breaks a rule: a message, a block, a transaction."""


class GenesisError(LucidError):
    """A genesis document cannot be used; `detail` names the file, or the key whose value is out of bounds."""

    def __init__(self, detail: str) -> None:
        super().__init__(Code.GENESIS, detail)
