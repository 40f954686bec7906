"""The sessions that refer to the chunks of a node: listed, asked about, and removed by id."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.reference import NotHeld, Reference
from lucid.services.chunks.referenceindex import PAGE
from lucid.storage.durable import DurableStore


class Held(NamedTuple):
    """A session (id, and owner or nothing) that refers to chunks: how many, of how many bytes, and the time of its
    newest reference (ms since the Unix epoch, 0 where an older version stored it)."""

    session: bytes
    chunks: int
    total_bytes: int
    since_ms: int


class SessionReferences:
    """The sessions that refer to chunks. What is asked reads the rows of these sessions alone."""

    def __init__(self, store: DurableStore, chunks: Chunks) -> None:
        self._store = store
        self._chunks = chunks
        self._index = chunks.index

    async def page(self, after: bytes, limit: int) -> list[Held]:
        """At most `limit` sessions in order, from the first after `after` on. Raises `StoreError`."""
        await self._index.level()
        found = await self._store.read(self._index.page, after, limit)
        return [Held(session, held.chunks, held.total_bytes, held.since_ms) for session, held in found]

    async def since_ms(self, session: bytes) -> int:
        """When a session's newest reference was made (ms since the Unix epoch). Raises `StoreError`."""
        return (await self._store.read(self._index.sums, session)).since_ms

    async def owners(self, session: bytes) -> list[bytes]:
        """The sessions, with their owners, that refer to chunks under an id. Raises `StoreError`."""
        await self._index.level()
        return await self._store.read(self._index.owners, session)

    async def remove(self, session: bytes, may: Callable[[Reference], bool] = lambda reference: True) -> int:
        """Take all references of a session away, but for those that the caller may not; returns how many went. Raises
        `StoreError`."""
        await self._index.level()
        gone, after = 0, b""
        while chunks := await self._store.read(self._some, session, after):
            for chunk in chunks:
                with suppress(NotHeld):
                    gone += await self._chunks.release(chunk, session, may) is not None
            after = chunks[-1]
        return gone

    def _some(self, session: bytes, after: bytes) -> list[bytes]:
        return list(islice(self._index.chunks(session, after), PAGE))
