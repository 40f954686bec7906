"""Which other nodes need a chunk that is held here: as long as one does, the copy stays.

A node needs a chunk as long as a session there refers to it. What it said holds until it says, from the same store,
that it let go of the chunk: a node that is away, or whose store was lost, goes on needing what it needed.
"""

from __future__ import annotations

from collections.abc import Iterable

from lucid.ledger.rowstore import Write
from lucid.storage.chunkrow import CHUNK_TABLE
from lucid.storage.durable import DurableStore

NEED_TABLE = "need"
"""By chunk and node, 32 bytes each: when it last said so (ms since the Unix epoch, 8 bytes), and its store's name."""
KEY_BYTES = 32
STAMP_BYTES = 8


class Needs:
    """The rows of one store. All of it runs in worker threads."""

    def __init__(self, store: DurableStore) -> None:
        self._store = store

    def of(self, chunk: bytes) -> dict[bytes, bytes]:
        """The nodes that need a chunk, and the name of the store in which each does."""
        found = {}
        for key, value in self._store.scan(NEED_TABLE, chunk):
            if key[:KEY_BYTES] != chunk:
                break
            found[key[KEY_BYTES:]] = value[STAMP_BYTES:]
        return found

    def said(self, node: bytes, name: bytes, chunks: Iterable[bytes], now_ms: int) -> list[Write]:
        """What is to be written when a node says that it needs chunks: rows of those that are here."""
        value = now_ms.to_bytes(STAMP_BYTES, "big") + name
        known = [chunk for chunk in chunks if self._store.get(CHUNK_TABLE, chunk) is not None]
        return [(NEED_TABLE, chunk + node, value) for chunk in known]

    def old(self, after: bytes, limit: int, before_ms: int) -> tuple[list[bytes], bytes]:
        """Keys (chunk and node) of what was said before a time, of the first `limit` rows after that key, and the last
        key that was looked at (empty at the end)."""
        rows = list(self._store.scan(NEED_TABLE, after + b"\0" if after else b"", limit))
        old = [key for key, value in rows if int.from_bytes(value[:STAMP_BYTES], "big") < before_ms]
        return old, rows[-1][0] if len(rows) == limit else b""
