"""Chunks counted by state and by node: every chunk once, whatever the pages, and only while somebody asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
import trio
import trio.testing

from lucid.api.answers import ChunkCounts
from lucid.chain.chunks import chunk_id
from lucid.machines.effects import MembersKnown
from lucid.machines.replicamessages import ChunkHolding
from lucid.services.chunks import census as counting
from lucid.services.chunks.census import Census
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.replication import Replication
from lucid.services.chunks.scrub import Pace, Scrub
from lucid.services.process.sibling import Sibling
from lucid.storage.durable import DurableStore
from tests.services.chunks.fleets import body
from tests.services.chunks.nodechunks import opened
from tests.waiting import until

HERE, ONE, TWO = (bytes([number]) * 32 for number in (1, 2, 3))
BODIES = [bytes([number]) * 1_500 for number in range(5)]
IDS = sorted(chunk_id(data) for data in BODIES)
STORE = b"s" * 16


class Node:
    """A node that keeps chunks, and what it was told of others."""

    def __init__(self, store: DurableStore, chunks: Chunks) -> None:
        self.store = store
        self.chunks = chunks
        self.scrub = Scrub(chunks, store, Pace(30 * 86_400_000, 0))
        # It is told of others, and asks nobody.
        self.replication = Replication(HERE, chunks, store, cast(Sibling, None), 1 << 20)
        self.census = Census(chunks, store, self.scrub, self.replication)

    def knows(self, *members: bytes, factor: int = 3) -> None:
        """Who the members are, all of them in reach."""
        self.replication.machine.neighborhood.learn(MembersKnown(members=members, connected=members, factor=factor))

    async def hears(self, node: bytes, *chunks: bytes) -> None:
        """Another node says what it holds."""
        said = ChunkHolding(store=STORE, has=chunks, lacks=())
        writes, _ = await self.store.read(self.replication.copies.said, node, said, 1)
        await self.store.write(writes)

    async def status(self, chunk: bytes) -> str:
        """A chunk's state."""
        return await self.store.read(self.census.status, chunk)

    async def counted(self) -> ChunkCounts:
        """A count that begins now."""
        before = self.census.ask()
        await until(lambda: self.census.counts is not before)
        assert self.census.counts is not None
        return self.census.counts


@asynccontextmanager
async def node(folder: Path) -> AsyncIterator[Node]:
    """With all chunks."""
    async with opened(folder) as (store, chunks):
        for data in BODIES:
            await chunks.put(body(data), bytes(16), None)
        yield Node(store, chunks)


async def test_a_chunk_s_state_follows_from_its_file_and_its_copies(tmp_path: Path) -> None:
    async with node(tmp_path) as here:
        assert {await here.status(chunk) for chunk in IDS} == {"stored"}
        here.knows(HERE, ONE, TWO)
        await here.hears(ONE, *IDS)
        assert {await here.status(chunk) for chunk in IDS} == {"stored"}, "one copy is not all of them"
        await here.hears(TWO, IDS[0])
        assert [await here.status(chunk) for chunk in IDS[:2]] == ["replicated", "stored"]
        here.chunks.folder.remove(IDS[0])
        here.chunks.folder.place(IDS[1]).write_bytes(b"rot" * 500)
        for chunk in IDS[:2]:
            await here.chunks.inspection.check(chunk)
        assert [await here.status(chunk) for chunk in IDS[:2]] == ["missing", "corrupted"], "whatever others hold"


async def test_what_the_scrubber_read_is_verified(tmp_path: Path) -> None:
    async with node(tmp_path) as here, trio.open_nursery() as nursery:
        nursery.start_soon(here.scrub.run)
        await here.scrub.start(0, 0)
        await until(lambda: here.scrub.status().run_left_percent == 0)
        assert {await here.status(chunk) for chunk in IDS} == {"verified"}
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("page", [1, 2, 4, 5, 6])
async def test_every_chunk_counts_once_whatever_the_pages(
    tmp_path: Path, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "PAGE", page)
    async with node(tmp_path) as here, trio.open_nursery() as nursery:
        here.knows(HERE, ONE, TWO)
        await here.hears(ONE, *IDS)
        await here.hears(TWO, *IDS[:2])
        here.chunks.folder.remove(IDS[4])
        await here.chunks.inspection.check(IDS[4])
        nursery.start_soon(here.census.run)
        counts = await here.counted()
        states = (counts.stored, counts.verified, counts.replicated, counts.missing, counts.corrupted)
        assert states == (2, 0, 2, 1, 0)
        nodes = [(each.node, each.belong, each.held) for each in counts.nodes]
        assert nodes == [(HERE.hex(), 5, 4), (ONE.hex(), 5, 5), (TWO.hex(), 5, 2)]
        nursery.cancel_scope.cancel()


async def test_it_counts_while_somebody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "REST_S", 0.0)
    async with node(tmp_path) as here, trio.open_nursery() as nursery:
        nursery.start_soon(here.census.run)
        assert here.census.ask() is None, "there is none yet, and nobody waits for one"
        await until(lambda: here.census.counts)
        first = here.census.counts
        for _ in range(20):
            await trio.testing.wait_all_tasks_blocked()
        assert here.census.counts is first
        assert await here.counted() is not first
        nursery.cancel_scope.cancel()
