"""The chunks of a node counted by state, and by the nodes that have copies: while someone looks, and never in haste."""

from __future__ import annotations

import time
from collections import Counter

import trio

from lucid.api.answers import ChunkCounts, NodeChunks
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.replication import Replication
from lucid.services.chunks.scrub import Scrub
from lucid.services.process.driver import clock_ms
from lucid.storage.chunkrow import CHUNK_TABLE
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged
from lucid.storage.findings import Finding

PAGE = 200
"""Chunks that are looked at in one go."""
REST = 4
"""After each page it rests for so many times as long as that took: counting takes a fifth of a core at most."""
REST_S = 3.0
"""How long after its end the next count may begin."""


class Census:
    """Counts again as long as someone asks; `counts` is the last result, None before the first."""

    def __init__(self, chunks: Chunks, store: DurableStore, scrub: Scrub, replication: Replication) -> None:
        self.counts: ChunkCounts | None = None
        self._chunks = chunks
        self._store = store
        self._scrub = scrub
        self._replication = replication
        self._wanted = trio.Event()

    def ask(self) -> ChunkCounts | None:
        """The last count; a newer one is made soon."""
        self._wanted.set()
        return self.counts

    def status(self, chunk: bytes) -> str:
        """The state of a chunk that is held, from a worker thread: `stored`, `verified`, `replicated`, `missing` or
        `corrupted`."""
        return self._looked_at(chunk)[0]

    async def run(self) -> None:
        """Count, forever."""
        try:
            while True:
                await self._wanted.wait()
                self._wanted = trio.Event()
                await self._count()
                await trio.sleep(REST_S)
        except StoreDamaged:
            pass  # the store has logged it and says so

    async def _count(self) -> None:
        began_s, states, belong, held = time.monotonic(), Counter[str](), Counter[bytes](), Counter[bytes]()
        after = b""
        while True:
            page_s = time.monotonic()
            rows = await self._store.read_when_there(self._page, after)
            for _, status, wanted, holders in rows:
                states[status] += 1
                belong.update(wanted)
                held.update(holders)
            if len(rows) < PAGE:
                break
            after = rows[-1][0] + b"\x00"
            await trio.sleep(REST * (time.monotonic() - page_s))
        pending = await self._store.read_when_there(self._replication.pending)
        nodes = [NodeChunks(key.hex(), belong[key], held[key]) for key in self._replication.members]
        took_ms = int(1000 * (time.monotonic() - began_s))
        self.counts = ChunkCounts(
            counted_ms=clock_ms(),
            took_ms=took_ms,
            stored=states["stored"],
            verified=states["verified"],
            replicated=states["replicated"],
            missing=states["missing"],
            corrupted=states["corrupted"],
            nodes=tuple(nodes),
            pending=len(pending),
        )

    def _page(self, start: bytes) -> list[tuple[bytes, str, tuple[bytes, ...], list[bytes]]]:
        """Some chunks, each with its state, the nodes where it belongs and those that have it."""
        chunks = [chunk for chunk, _ in self._store.scan(CHUNK_TABLE, start, PAGE)]
        return [(chunk, *self._looked_at(chunk)) for chunk in chunks]

    def _looked_at(self, chunk: bytes) -> tuple[str, tuple[bytes, ...], list[bytes]]:
        here, wanted = self._replication.key, self._replication.wanted(chunk)
        others = [key for key in wanted if key != here]
        holders = [key for key in others if self._replication.copies.at(chunk, key)]
        fault = self._chunks.faults.of(chunk)
        if fault is not None:
            return Finding(fault.finding).name.lower(), wanted, holders
        if len(self._replication.members) > 1 and len(holders) == len(others):
            status = "replicated"
        else:
            since_ms = self._chunks.folder.unused_since_ms(chunk)
            status = "verified" if since_ms is not None and self._scrub.read_since(chunk, since_ms) else "stored"
        return status, wanted, [*holders, here]
