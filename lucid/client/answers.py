"""What services answer to clients: the same structs in the service that writes them and the client that reads them."""

from __future__ import annotations

import msgspec


class Anchored(msgspec.Struct, frozen=True):
    """The session is durable at the node, and will be on the chain under this transaction's id."""

    session: str
    transaction: str
    status: str


class SessionState(msgspec.Struct, frozen=True):
    """Where a session is: `pending`, `included` in a block, `final` at a height, or `failed` with a code. Time in ms
    since the Unix epoch; the owner's key in hexadecimal."""

    session: str
    status: str
    transaction: str | None
    height: int | None = None
    accepted_ms: int | None = None
    code: str | None = None
    message: str | None = None
    owner: str = ""


class SessionChunks(msgspec.Struct, frozen=True):
    """A session that refers to chunks at a node; `owner` is empty where nobody said whose it is. `since_ms` is the time
    of its newest reference, 0 where an older version made it."""

    session: str
    owner: str
    chunks: int
    total_bytes: int
    since_ms: int


class Sessions(msgspec.Struct, frozen=True):
    """Sessions in order, and what the next page goes on `after` (None at the end)."""

    sessions: tuple[SessionChunks, ...]
    after: str | None


class Removed(msgspec.Struct, frozen=True):
    """A session whose references are gone, and how many there were."""

    session: str
    owner: str
    references: int
