"""What a client can ask of a node, as values: what to send, and what to make of the answer. No I/O here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Literal, NamedTuple, NoReturn, TypeVar
from uuid import UUID

import msgspec

from lucid.api.answers import (
    Accepted,
    Anchored,
    ChainNodes,
    Checked,
    ChunkList,
    Credits,
    DataStatus,
    Pruned,
    Removed,
    RulesState,
    ScrubStatus,
    SessionCopies,
    Sessions,
    SessionState,
    TransactionState,
)
from lucid.api.errors import read_code
from lucid.api.requests import DecisionSubmission, PruneOrder, ScrubOrder
from lucid.chain.chunks import MAX_CHUNK_BYTES, chunk_id
from lucid.chain.errors import Code, LucidError
from lucid.chain.manifests import MAX_MANIFEST_BYTES
from lucid.chain.receipts import MAX_RECEIPT_BYTES

T = TypeVar("T")

MAX_ANSWER_BYTES = 1 << 20


class ClientError(LucidError):
    """A node refused a call or cannot be reached. `status` is HTTP's, 0 when there was no answer."""

    def __init__(self, code: Code, detail: str, status: int = 0) -> None:
        super().__init__(code, detail)
        self.status = status


class Call(NamedTuple, Generic[T]):
    """One request to a service (`anchoring`, `data`, `manager`, `engine`), and how to read what a success answers."""

    service: str
    method: str
    path: str
    read: Callable[[bytes], T]
    body: bytes = b""
    limit: int = MAX_ANSWER_BYTES
    """Bytes of an answer that are read; more is refused."""

    def result(self, status: int, body: bytes) -> T:
        """What the answer says; raises `ClientError`."""
        if 200 <= status < 300:
            return self.read(body)
        _refused(self, status, body)


def anchor_session(manifest: bytes) -> Call[Anchored]:
    """Anchor the session of a signed manifest. Repeating it is harmless."""
    return Call("anchoring", "POST", "/api/v1/anchor-session", _json(Anchored), manifest)


def session_state(session: UUID, owner: bytes = b"") -> Call[SessionState]:
    """Where a session is. Without an owner a node refuses an id that has several."""
    return Call("anchoring", "GET", f"/api/v1/sessions/{session}{_query(owner=owner)}", _json(SessionState))


def manifest(session: UUID, owner: bytes = b"") -> Call[bytes]:
    """A session's manifest, unchecked."""
    path = f"/api/v1/sessions/{session}/manifest{_query(owner=owner)}"
    return Call("anchoring", "GET", path, bytes, limit=MAX_MANIFEST_BYTES)


def receipt(session: UUID, owner: bytes = b"", checkpoint: bytes = b"") -> Call[bytes]:
    """A final session's receipt, unchecked; one that reaches the block of the hash `checkpoint`, if it is given."""
    path = f"/api/v1/sessions/{session}/receipt{_query(owner=owner, checkpoint=checkpoint)}"
    return Call("anchoring", "GET", path, bytes, limit=MAX_RECEIPT_BYTES)


def store_chunk(data: bytes, session: UUID, owner: bytes = b"") -> Call[None]:
    """Store a chunk (1 KiB to 16 MiB) for a session; durable when answered."""
    path = f"/api/v1/chunks/{chunk_id(data).hex()}{_query(session=session, owner=owner)}"
    return Call("data", "PUT", path, lambda body: None, data)


def chunk(identity: bytes, size: int = MAX_CHUNK_BYTES) -> Call[bytes]:
    """A chunk's bytes, at most `size`, which are checked against its id."""

    def read(body: bytes) -> bytes:
        if chunk_id(body) != identity:
            raise ClientError(
                Code.CHUNK_ID, f"the node answered with bytes that are not those of chunk {identity.hex()}"
            )
        return body

    return Call("data", "GET", f"/api/v1/chunks/{identity.hex()}", read, limit=size)


def holds_chunk(identity: bytes, session: UUID, owner: bytes = b"") -> Call[bool]:
    """Whether a chunk is stored for a session, which keeps it; True, or a `ClientError` with the status 404."""
    path = f"/api/v1/chunks/{identity.hex()}{_query(session=session, owner=owner)}"
    return Call("data", "HEAD", path, lambda body: True)


def release_chunk(identity: bytes, session: UUID, owner: bytes = b"") -> Call[None]:
    """Take a session's reference to a chunk away."""
    path = f"/api/v1/chunks/{identity.hex()}{_query(session=session, owner=owner)}"
    return Call("data", "DELETE", path, lambda body: None)


def stored_sessions(after: str, limit: int) -> Call[Sessions]:
    """Sessions that refer to chunks, the first `limit` after that one."""
    path = f"/api/v1/sessions?limit={limit}" + (f"&after={after}" if after else "")
    return Call("data", "GET", path, _json(Sessions))


def remove_session(session: UUID, owner: bytes = b"", until_ms: int = 0, signature: bytes = b"") -> Call[Removed]:
    """Take all of a session's references to chunks away, by the owner's signature if it is given."""
    signed = f"&until_ms={until_ms}&signature={signature.hex()}" if signature else ""
    return Call("data", "DELETE", f"/api/v1/sessions/{session}{_query(owner=owner)}{signed}", _json(Removed))


def data_status() -> Call[DataStatus]:
    """What a node holds, and how it looks after it."""
    return Call("data", "GET", "/api/v1/status", _json(DataStatus))


def order_scrub(action: Literal["start", "pause"], max_duration_ms: int = 0, max_age_ms: int = 0) -> Call[ScrubStatus]:
    """Have chunks read now (`start`), or not for a while (`pause`)."""
    order = ScrubOrder(action, max_duration_ms, max_age_ms)
    return Call("data", "POST", "/api/v1/scrub", _json(ScrubStatus), msgspec.json.encode(order))


def held_chunks(after: str, limit: int, status: str = "", session: UUID | str = "") -> Call[ChunkList]:
    """Chunks at a node and their states, the first of the `limit` after that one."""
    given = {"after": after, "status": status, "session": str(session)}
    query = "".join(f"&{name}={text}" for name, text in given.items() if text)
    return Call("data", "GET", f"/api/v1/chunks?limit={limit}{query}", _json(ChunkList))


def verify_chunk(identity: str) -> Call[Checked]:
    """Have a chunk read from its disk now."""
    return Call("data", "POST", f"/api/v1/chunks/{identity}/verify", _json(Checked))


def repair_chunk(identity: str) -> Call[Checked]:
    """Have a chunk read from its disk now, and fetched from another node where it is not sound."""
    return Call("data", "POST", f"/api/v1/chunks/{identity}/repair", _json(Checked))


def prune(dry_run: bool) -> Call[Pruned]:
    """Have the chunks go that nobody has referred to for a day, or be told of them alone."""
    return Call("data", "POST", "/api/v1/prune", _json(Pruned), msgspec.json.encode(PruneOrder(dry_run)))


def session_copies(session: UUID, owner: bytes = b"") -> Call[SessionCopies]:
    """How the chunks of a session are held."""
    return Call("data", "GET", f"/api/v1/sessions/{session}/copies{_query(owner=owner)}", _json(SessionCopies))


def chain_rules() -> Call[RulesState]:
    """Which rules the chain has and gets, and who knows them."""
    return Call("manager", "GET", "/api/v1/chain/rules", _json(RulesState))


def chain_nodes() -> Call[ChainNodes]:
    """The nodes as the chain holds them, and as this node sees them."""
    return Call("manager", "GET", "/api/v1/nodes", _json(ChainNodes))


def submit_decision(payload: bytes) -> Call[Accepted]:
    """Hand in a decision of administrators, encoded; durable at the node when answered."""
    body = msgspec.json.encode(DecisionSubmission(payload.hex()))
    return Call("manager", "POST", "/api/v1/chain/decisions", _json(Accepted), body)


def decision_state(identity: bytes) -> Call[TransactionState]:
    """Where a decision is; a `ClientError` with the status 404 where the node has none of that id (any more)."""
    return Call("manager", "GET", f"/api/v1/chain/decisions/{identity.hex()}", _json(TransactionState))


def credits() -> Call[Credits]:
    """What each member's work counts for."""
    return Call("engine", "GET", "/api/v1/consensus/credits", _json(Credits))


def _query(**values: bytes | UUID) -> str:
    """The query of a path; what is empty is left out."""
    texts = {name: value.hex() if isinstance(value, bytes) else str(value) for name, value in values.items()}
    given = [f"{name}={text}" for name, text in texts.items() if text]
    return "?" + "&".join(given) if given else ""


def _json(kind: type[T]) -> Callable[[bytes], T]:
    def read(body: bytes) -> T:
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ClientError(Code.MALFORMED, str(error)) from None

    return read


def _refused(call: Call[Any], status: int, body: bytes) -> NoReturn:
    """Raise what the error envelope says, or at least the status."""
    try:
        error = msgspec.json.decode(body)["error"]
        code = read_code(error["code"])
        message = str(error["message"]).removeprefix(code.sentence).strip(" ()")
    except (msgspec.MsgspecError, LookupError, TypeError, ValueError, AttributeError, RecursionError):
        code, message = Code.UNAVAILABLE, f"{call.service} answers {status}"
    raise ClientError(code, message, status)
