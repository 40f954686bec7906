"""Chunks that nothing here refers to: looked for in rows and folder, and removed once `collection` agrees.

A chunk that nobody refers to, here or at a node that said so, is removed a day later, where all others agree
(`lucid.services.chunks.collection`), and only where row and file agree since when: a file that is no longer referred
to gets that time as its own, and one that is stored again gets another. So no store that is older than the folder, or
another's, can have a chunk removed that somebody came to refer to meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

from lucid.chain.codec import encode
from lucid.services.chunks.inventory import Inventory
from lucid.storage.chunkrow import CHUNK_TABLE, ChunkRow

KEPT_MS = 24 * 3_600_000
"""How long a chunk to which nobody refers is kept."""

_log = logging.getLogger("lucid.chunks")


class Sweeper:
    """Sweeps the chunks of one node."""

    def __init__(self, inventory: Inventory) -> None:
        self.agreed: Callable[[Sequence[bytes]], Awaitable[set[bytes]]] = _alone
        """Which of some chunks that nobody here needs no other node does."""
        self._inventory = inventory

    async def sweep(self, now_ms: int) -> int:
        """Remove what is due and what no other node needs; returns how many chunks went. A file goes before its row: a
        crash between is repeated."""
        inventory = self._inventory
        due, gone = await inventory.store.read_when_there(self._due, now_ms), 0
        agreed = await self.agreed(due) if due else set()
        for chunk in (each for each in due if each in agreed):
            async with inventory.changing:
                gone += await self._remove(chunk, now_ms)
        if forgotten := await inventory.store.read_when_there(inventory.let_go.forgotten, now_ms):
            await inventory.store.write(forgotten)
        return gone

    def _due(self, now_ms: int) -> list[bytes]:
        return [chunk for chunk, row in self._inventory.rows.unused() if row.unused_since_ms <= now_ms - KEPT_MS]

    async def _remove(self, chunk: bytes, now_ms: int) -> bool:
        """Remove a chunk, unless somebody came to need it meanwhile."""
        inventory = self._inventory
        rows, store = inventory.rows, inventory.store
        known, needs = await store.read_when_there(lambda: (rows.known(chunk), inventory.needs.of(chunk)))
        if known is None or known.sessions or not 0 < known.row.unused_since_ms <= now_ms - KEPT_MS:
            return False
        if not needs and await store.read_when_there(rows.let_go, chunk):
            await inventory.disk.finish(inventory.folder.remove, chunk)
            await store.write(await inventory.forget(chunk))
            inventory.lose(known.row.size)
            return True
        if not needs:
            _log.warning("chunk %s was stored again after this store saw it unused: it is kept", chunk.hex())
        await store.write([(CHUNK_TABLE, chunk, encode(ChunkRow(known.row.size, 0)))])
        return False


async def _alone(chunks: Sequence[bytes]) -> set[bytes]:
    """Where there is no other node, none needs anything."""
    return set(chunks)
