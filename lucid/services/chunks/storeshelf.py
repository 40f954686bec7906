"""What the machine of replication sees of this node's chunks: their rows in the store."""

from __future__ import annotations

from lucid.services.chunks.inventory import Inventory
from lucid.storage.chunkfiles import CHUNK_TABLE


class StoreShelf:
    """See `ChunkShelf`. All of it runs in worker threads, and raises `StoreError`."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    def kept(self, chunk: bytes) -> bool:
        """See `ChunkShelf`."""
        return self._inventory.rows.row(chunk) is not None

    def sound(self, chunk: bytes) -> bool:
        """See `ChunkShelf`."""
        return self.kept(chunk) and self._inventory.faults.of(chunk) is None

    def offered(self, chunk: bytes) -> bool:
        """See `ChunkShelf`."""
        row = self._inventory.rows.row(chunk)
        return row is not None and not row.unused_since_ms and self._inventory.faults.of(chunk) is None

    def gone(self, chunk: bytes) -> bool:
        """See `ChunkShelf`."""
        return self._inventory.needs.gone(chunk)

    def page(self, start: bytes, limit: int) -> list[bytes]:
        """See `ChunkShelf`."""
        return [chunk for chunk, _ in self._inventory.store.scan(CHUNK_TABLE, start, limit)]

    def faulty(self, after: bytes, limit: int) -> tuple[list[bytes], bytes]:
        """See `ChunkShelf`."""
        rows = self._inventory.faults.page(after, limit)
        faulty = [chunk for chunk, _ in rows if not self._inventory.rows.let_go(chunk)]
        return faulty, rows[-1][0] if len(rows) == limit else b""
