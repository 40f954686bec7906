"""What the machine of replication sees of this node's chunks: their rows in the store."""

from __future__ import annotations

from lucid.services.chunks.inventory import Inventory
from lucid.storage.chunkrow import CHUNK_TABLE, decode_row


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
        return self._inventory.let_go.gone(chunk)

    def page(self, start: bytes, limit: int) -> tuple[list[bytes], bytes]:
        """See `ChunkShelf`: two looks into the store, however many chunks there are."""
        rows = list(self._inventory.store.scan(CHUNK_TABLE, start, limit))
        if not rows:
            return [], b""
        last = rows[-1][0]
        faulty = self._inventory.faults.between(rows[0][0], last)
        kept = [chunk for chunk, data in rows if not decode_row(chunk, data).unused_since_ms]
        return [chunk for chunk in kept if chunk not in faulty], last + b"\x00" if len(rows) == limit else b""

    def faulty(self, after: bytes, limit: int) -> tuple[list[bytes], bytes]:
        """See `ChunkShelf`."""
        rows = self._inventory.faults.page(after, limit)
        faulty = [chunk for chunk, _ in rows if not self._inventory.rows.let_go(chunk)]
        return faulty, rows[-1][0] if len(rows) == limit else b""
