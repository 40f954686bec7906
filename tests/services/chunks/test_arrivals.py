"""Chunks as they come from other nodes: kept whole, read without being kept, or nothing; and whose fault that is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing

from lucid.chain.chunks import chunk_id
from lucid.machines.effects import BeginFetch, EndFetch, FetchEnded, FetchOutcome, TakePart
from lucid.services.chunks.arrivals import WAITING, Arrivals
from lucid.services.chunks.chunks import Chunks
from lucid.storage.chunkrow import CHUNK_TABLE
from lucid.storage.errors import StoreDamaged
from tests.services.chunks.nodechunks import opened
from tests.waiting import until

DATA = bytes(range(256)) * 20
CHUNK = chunk_id(DATA)
PARTS = [DATA[first : first + 1_000] for first in range(0, len(DATA), 1_000)]


class Fetching:
    """What a machine of replication would be told."""

    def __init__(self, chunks: Chunks, nursery: trio.Nursery) -> None:
        self.chunks = chunks
        self.ended: list[FetchEnded] = []
        self.read: list[tuple[bytes, bytes]] = []
        self.arrivals = Arrivals(chunks, self._note, lambda chunk, data: self.read.append((chunk, data)))
        self._nursery = nursery

    async def _note(self, ended: FetchEnded) -> None:
        self.ended.append(ended)

    async def fetch(self, parts: Sequence[bytes], *, whole: bool = True, keep: bool = True) -> FetchOutcome:
        """How a fetch ends whose parts come no faster than the disk takes them."""
        number = len(self.ended) + 1
        self.arrivals.begin(BeginFetch(fetch=number, chunk=CHUNK, keep=keep), self._nursery)
        for part in parts:
            self.arrivals.take(TakePart(fetch=number, data=part))
            await trio.testing.wait_all_tasks_blocked()
        self.arrivals.end(EndFetch(fetch=number, whole=whole))
        return await self.outcome(number)

    async def outcome(self, number: int) -> FetchOutcome:
        """How a fetch ended."""
        await until(lambda: len(self.ended) == number)
        assert self.ended[-1].fetch == number
        return self.ended[-1].outcome

    def nothing_is_left(self) -> bool:
        """Whether neither folder nor store has anything of the chunk."""
        files = [*self.chunks.folder.chunks(), *self.chunks.folder.incoming.iterdir()]
        return not files and self.chunks.inventory.count == 0


@asynccontextmanager
async def fetching(folder: Path, quota: int = 0) -> AsyncIterator[Fetching]:
    """A node that fetches."""
    async with opened(folder, quota=quota) as (_, chunks), trio.open_nursery() as nursery:
        yield Fetching(chunks, nursery)


async def test_what_came_whole_is_kept(tmp_path: Path) -> None:
    async with fetching(tmp_path) as node:
        assert await node.fetch(PARTS) is FetchOutcome.KEPT
        assert node.chunks.folder.place(CHUNK).read_bytes() == DATA and node.chunks.inventory.count == 1
        assert not node.read


async def test_what_is_only_read_is_verified_and_not_kept(tmp_path: Path) -> None:
    async with fetching(tmp_path) as node:
        assert await node.fetch(PARTS, keep=False) is FetchOutcome.KEPT
        assert node.read == [(CHUNK, DATA)] and node.nothing_is_left()
        assert await node.fetch([*PARTS[:-1], b"?" * len(PARTS[-1])], keep=False) is FetchOutcome.FALSE
        assert len(node.read) == 1


@pytest.mark.parametrize("parts", [PARTS[:-1], [*PARTS, b"x"], PARTS[::-1], [b"x"], []])
async def test_bytes_that_are_not_the_chunks_are_their_sources_fault(tmp_path: Path, parts: list[bytes]) -> None:
    async with fetching(tmp_path) as node:
        assert await node.fetch(parts) is FetchOutcome.FALSE
        assert node.nothing_is_left()
        assert await node.fetch(PARTS) is FetchOutcome.KEPT


async def test_what_is_given_up_leaves_nothing_and_is_nobodys_fault(tmp_path: Path) -> None:
    async with fetching(tmp_path) as node:
        for parts in ([], PARTS[:2], PARTS):
            assert await node.fetch(parts, whole=False) is FetchOutcome.FAILED
            assert node.nothing_is_left()


async def test_no_room_is_not_its_sources_fault(tmp_path: Path) -> None:
    async with fetching(tmp_path, quota=2_500) as node:
        assert await node.fetch(PARTS) is FetchOutcome.FAILED
        assert node.nothing_is_left()


@pytest.mark.parametrize("count", [WAITING + 1, 2 * WAITING])
async def test_a_disk_that_does_not_keep_up_is_not_its_sources_fault(tmp_path: Path, count: int) -> None:
    """More parts than may wait come at once, the last of them too: a source that was called false would be doubted."""
    parts = [DATA[number * 500 : number * 500 + 500] for number in range(count)]
    async with fetching(tmp_path) as node, trio.open_nursery() as nursery:
        node.arrivals.begin(BeginFetch(fetch=1, chunk=chunk_id(b"".join(parts)), keep=True), nursery)
        for part in parts:
            node.arrivals.take(TakePart(fetch=1, data=part))
        node.arrivals.end(EndFetch(fetch=1, whole=True))
        assert await node.outcome(1) is FetchOutcome.FAILED
        assert node.nothing_is_left()


async def test_parts_of_what_nobody_fetches_are_nothing(tmp_path: Path) -> None:
    async with fetching(tmp_path) as node:
        assert await node.fetch(PARTS) is FetchOutcome.KEPT
        node.arrivals.take(TakePart(fetch=1, data=b"late"))
        node.arrivals.end(EndFetch(fetch=1, whole=False))
        assert await node.fetch(PARTS) is FetchOutcome.KEPT, "once more, of which each is another"


async def test_damage_in_the_store_ends_what_fetches(tmp_path: Path) -> None:
    with pytest.RaisesGroup(StoreDamaged, flatten_subgroups=True):
        async with fetching(tmp_path) as node:
            await node.chunks.inventory.store.write([(CHUNK_TABLE, CHUNK, b"no row")])
            node.arrivals.begin(BeginFetch(fetch=1, chunk=CHUNK, keep=True), node._nursery)
            node.arrivals.take(TakePart(fetch=1, data=DATA))
            node.arrivals.end(EndFetch(fetch=1, whole=True))
            await trio.sleep_forever()
