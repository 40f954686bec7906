"""Reads of chunks that fall back to other nodes: before the first byte, and where a segment turns out to be damaged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

import trio

from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.replication import Replication
from lucid.services.chunks.storedchunk import ChunkDamaged, StoredChunk
from lucid.services.process.disk import DiskFailed

ELSEWHERE_S = 25.0
"""How long a reader waits for what other nodes have: less than a client's patience."""


class Reading:
    """What readers are given."""

    def __init__(self, chunks: Chunks, replication: Replication) -> None:
        self._chunks = chunks
        self._replication = replication

    async def here(self, chunk: bytes) -> StoredChunk | None:
        """A chunk to be read; where it should be here and is not, it is fetched from another node first. Raises
        `ChunkDamaged` and `StoreError`."""
        try:
            # Where others are in reach, what turns out to be damaged on the way is fetched from them.
            stored = await self._chunks.reader.open(chunk, warm=bool(self._replication.connected))
        except ChunkDamaged:
            if not self._replication.connected or not await self._obtained(chunk):
                raise
            return await self._chunks.reader.open(chunk)
        if stored is None and self._replication.belongs(chunk) and await self._obtained(chunk):
            return await self._chunks.reader.open(chunk)
        return stored

    async def parts(self, stored: StoredChunk, first: int, end: int) -> AsyncIterator[bytes]:
        """Bytes of a chunk, each segment verified before it is given; where one is damaged, the chunk is fetched from
        another node, and it goes on from there. Raises `ChunkDamaged` and `StoreError`."""
        try:
            async for part in self._chunks.reader.parts(stored, first, end):
                yield part
                first += len(part)
        except ChunkDamaged:
            again = await self._chunks.reader.open(stored.chunk) if await self._obtained(stored.chunk) else None
            if again is None:
                raise
            async for part in self._chunks.reader.parts(again, first, end):
                yield part

    async def _obtained(self, chunk: bytes) -> bool:
        with trio.move_on_after(ELSEWHERE_S):
            with suppress(OSError, DiskFailed):
                await self._chunks.inspection.check(chunk)
            return await self._replication.obtain(chunk)
        return False
