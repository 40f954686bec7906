"""Chunks that were let go: remembered for a while, so that no node that did not hear of it brings one back."""

from __future__ import annotations

from lucid.ledger.rowstore import Write
from lucid.storage.durable import DurableStore

GONE_TABLE = "gone"
"""By chunk: when it was removed here after all had let it go (ms since the Unix epoch, 8 bytes)."""
GONE_MS = 30 * 86_400_000
"""For how long that is remembered."""
STAMP_BYTES = 8


class LetGo:
    """The rows of one store. All of it runs in worker threads."""

    def __init__(self, store: DurableStore) -> None:
        self._store = store

    def gone(self, chunk: bytes) -> bool:
        """Whether a chunk was removed here, once nobody needed it."""
        return self._store.get(GONE_TABLE, chunk) is not None

    def forgotten(self, now_ms: int) -> list[Write]:
        """What removes the memory of chunks that went long ago."""
        rows = self._store.scan(GONE_TABLE)
        return [(GONE_TABLE, chunk, None) for chunk, at in rows if int.from_bytes(at, "big") <= now_ms - GONE_MS]
