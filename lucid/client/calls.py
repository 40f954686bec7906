"""What a client can ask of a node, as values: what to send, and what to make of the answer. No I/O here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, NoReturn, TypeVar
from uuid import UUID

import msgspec

from lucid.chain.chunks import chunk_id
from lucid.chain.errors import Code, LucidError
from lucid.client.answers import Anchored, SessionState

T = TypeVar("T")


class ClientError(LucidError):
    """A node refused a call or can't be reached. `status` is HTTP's, 0 when there was no answer."""

    def __init__(self, code: Code, detail: str, status: int = 0) -> None:
        super().__init__(code, detail)
        self.status = status


class Call(NamedTuple, Generic[T]):
    """One request to a service (`anchoring` or `data`), and how to read what is answered to it with success."""

    service: str
    method: str
    path: str
    read: Callable[[bytes], T]
    body: bytes = b""

    def result(self, status: int, body: bytes) -> T:
        """What the answer says; raises `ClientError`."""
        if 200 <= status < 300:
            return self.read(body)
        _refused(self, status, body)


def anchor_session(manifest: bytes) -> Call[Anchored]:
    """Anchor the session of a signed manifest. Repeating it is harmless."""
    return Call("anchoring", "POST", "/api/v1/anchor-session", _json(Anchored), manifest)


def session_state(session: UUID) -> Call[SessionState]:
    """Where a session is."""
    return Call("anchoring", "GET", f"/api/v1/sessions/{session}", _json(SessionState))


def manifest(session: UUID) -> Call[bytes]:
    """A session's manifest, unchecked."""
    return Call("anchoring", "GET", f"/api/v1/sessions/{session}/manifest", bytes)


def receipt(session: UUID) -> Call[bytes]:
    """A final session's receipt, unchecked."""
    return Call("anchoring", "GET", f"/api/v1/sessions/{session}/receipt", bytes)


def store_chunk(data: bytes, session: UUID) -> Call[None]:
    """Store a chunk (1 KiB to 16 MiB) for a session; durable when answered."""
    path = f"/api/v1/chunks/{chunk_id(data).hex()}?session={session}"
    return Call("data", "PUT", path, lambda body: None, data)


def chunk(identity: bytes) -> Call[bytes]:
    """A chunk's bytes, which are checked against its id."""

    def read(body: bytes) -> bytes:
        if chunk_id(body) != identity:
            raise ClientError(Code.CHUNK_ID, identity.hex())
        return body

    return Call("data", "GET", f"/api/v1/chunks/{identity.hex()}", read)


def release_chunk(identity: bytes, session: UUID) -> Call[None]:
    """Take a session's reference to a chunk away."""
    return Call("data", "DELETE", f"/api/v1/chunks/{identity.hex()}?session={session}", lambda body: None)


def _json(kind: type[T]) -> Callable[[bytes], T]:
    def read(body: bytes) -> T:
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ClientError(Code.MALFORMED, str(error)) from None

    return read


def _refused(call: Call[Any], status: int, body: bytes) -> NoReturn:
    """Raise what the error envelope says, or at least the status."""
    try:
        error = msgspec.json.decode(body)["error"]
        code = msgspec.convert(int(error["code"].removeprefix("LUCID_ERR_")), Code)
        message = str(error["message"]).removeprefix(code.sentence).strip(" ()")
    except (msgspec.MsgspecError, UnicodeDecodeError, LookupError, TypeError, ValueError, AttributeError):
        code, message = Code.UNAVAILABLE, f"{call.service} answers {status}"
    raise ClientError(code, message, status)
