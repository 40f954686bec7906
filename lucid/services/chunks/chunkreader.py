"""The bytes of chunks for whoever reads them: nothing is handed out that was not verified against the chunk's id."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import suppress
from typing import TypeVar

import trio

from lucid.chain.chunks import MAX_CHUNK_BYTES, ChunkHasher
from lucid.chain.errors import Code, Refusal
from lucid.services.chunks.inventory import Inventory
from lucid.services.chunks.remembered import Remembered
from lucid.services.chunks.storedchunk import (
    PART_BYTES,
    ChunkDamaged,
    SegmentOfChunk,
    StoredChunk,
    readable,
)
from lucid.storage.chunkseal import SEAL_TABLE
from lucid.storage.hashcache import HashCache
from lucid.storage.piecesums import SummingHasher

READERS = 4
"""Chunks in memory at once, to be read and verified."""
MAX_SUSPECTS = 1_024
"""Chunks whose reading failed that wait to be looked at; the scrubber comes to others by itself."""

T = TypeVar("T")


class ChunkReader:
    """Reads the chunks of one node."""

    def __init__(self, inventory: Inventory) -> None:
        self.damaged = 0
        """Reads of damaged chunks since the start."""
        self.suspects: set[bytes] = set()
        """Chunks whose reading failed: the scrubber looks at them next."""
        self._inventory = inventory
        self._reading = trio.CapacityLimiter(READERS)
        self._remembered = Remembered()

    @property
    def sums(self) -> HashCache:
        """The sums of the pieces of chunks that were verified."""
        return self._remembered.sums

    def keep(self, chunk: bytes, hasher: SummingHasher) -> None:
        """Keep the hashes of a chunk that was stored just now: its tree need not be worked out again to be proven."""
        self._remembered.keep(chunk, hasher)

    async def verified(self, parts: AsyncIterable[bytes], chunk: bytes) -> bytes:
        """The bytes of a chunk as they come, not stored. Raises `Refusal` (`CHUNK_SIZE`, `CHUNK_ID`)."""
        data, hasher = bytearray(), ChunkHasher()
        async for part in parts:
            if len(data) + len(part) > MAX_CHUNK_BYTES:
                raise Refusal(Code.CHUNK_SIZE)
            hasher.update(part)
            data += part
        if hasher.id() != chunk:
            raise Refusal(Code.CHUNK_ID)
        return bytes(data)

    async def open(self, chunk: bytes, warm: bool = False) -> StoredChunk | None:
        """A chunk's verified bytes, to be read part by part; None if there is none. With `warm` they are verified only
        as they are read, where the hashes of its segments are known. Raises `ChunkDamaged` and `StoreError`."""
        inventory = self._inventory
        rows = inventory.rows
        row, seal = await inventory.store.read(lambda: (rows.row(chunk), rows.seal(chunk)))
        if row is None:
            return None
        stored = await inventory.disk.call(self._opened, chunk, warm, seal, limiter=self._reading)
        if stored.seal != seal:
            await self._seal(stored)
        return stored

    async def _seal(self, stored: StoredChunk) -> None:
        """Let what was verified by its tree be known again by its seal, unless it goes or something else changes now:
        then the next one who reads it does."""
        inventory = self._inventory
        with suppress(trio.WouldBlock):
            inventory.changing.acquire_nowait()
            try:
                if await inventory.store.read(inventory.rows.row, stored.chunk) is not None:
                    inventory.store.put([(SEAL_TABLE, stored.chunk, stored.seal)], lazily=True)
            finally:
                inventory.changing.release()

    async def read(self, stored: StoredChunk, first: int, end: int) -> bytes:
        """Bytes of an open chunk, from `first` to before `end`. Raises `ChunkDamaged` and `StoreError`."""
        return await self._noting(stored.chunk, stored.read, first, end)

    async def parts(self, stored: StoredChunk, first: int, end: int) -> AsyncIterator[bytes]:
        """The same, a part at a time, each read when the one before it was taken."""
        while first < end:
            until = min(end, (first // PART_BYTES + 1) * PART_BYTES)
            if stored.held:
                await trio.lowlevel.checkpoint()
                yield stored.read(first, until)
            else:
                yield await self.read(stored, first, until)
            first = until

    async def proof(self, chunk: bytes, segment: Callable[[int], int]) -> SegmentOfChunk | None:
        """The segment of a chunk that `segment` chooses from its size, and its path to the id; None if there is no such
        chunk. Raises as `open` does."""
        stored = await self.open(chunk, warm=True)
        if stored is None:
            return None
        return await self._noting(chunk, stored.prove, segment(stored.size))

    def _opened(self, chunk: bytes, warm: bool, seal: bytes | None) -> StoredChunk:
        try:
            return readable(StoredChunk, self._inventory.folder.place(chunk), chunk, self._remembered, warm, seal)
        except ChunkDamaged:
            self._suspect(chunk)
            raise

    async def _noting(self, chunk: bytes, read: Callable[..., T], *arguments: object) -> T:
        """What `read` finds in a chunk's file; that it is damaged is noted. Raises `ChunkDamaged` and `StoreError`."""
        try:
            return await self._inventory.disk.call(readable, read, *arguments)
        except ChunkDamaged:
            self._suspect(chunk)
            raise

    def _suspect(self, chunk: bytes) -> None:
        self.damaged += 1
        if len(self.suspects) < MAX_SUSPECTS:
            self.suspects.add(chunk)
