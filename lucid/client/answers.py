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


class ScrubStatus(msgspec.Struct, frozen=True):
    """Where the scrubber stands: `waiting`, `reading` or `paused`. Times in ms since the Unix epoch, 0: none. Every
    chunk that is older was read after `all_read_since_ms`; counts are since the store began."""

    state: str
    period_ms: int
    all_read_since_ms: int
    late: bool
    run_left_percent: int
    paused_until_ms: int
    chunks_read: int
    bytes_read: int
    corrupted_found: int
    missing_found: int


class DataStatus(msgspec.Struct, frozen=True):
    """What a node holds, and how it looks after it. `missing` and `corrupted` count chunks, `quarantined` files."""

    chunks: int
    total_bytes: int
    missing: int
    corrupted: int
    quarantined: int
    scrub: ScrubStatus


class ChunkState(msgspec.Struct, frozen=True):
    """A chunk at a node: `stored`, `verified` (read again since), `missing` or `corrupted`."""

    id: str
    size: int
    status: str
    references: int


class ChunkList(msgspec.Struct, frozen=True):
    """Chunks in order, and what the next page goes on `after` (None at the end)."""

    chunks: tuple[ChunkState, ...]
    after: str | None


class Checked(msgspec.Struct, frozen=True):
    """A chunk that was read just now, and what it is."""

    id: str
    status: str
