"""From which node a chunk came: who gave the last of it, until the chunk goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import trio

from lucid.chain.chunks import chunk_id
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.origins import Origins
from lucid.services.process.space import Space
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore

IDS = [chunk_id(bytes([number]) * 2_000) for number in range(3)]
ONE, OTHER = (bytes([number]) * 32 for number in (1, 2))


async def run(folder: Path, test: Callable[[DurableStore, Origins, Chunks], Awaitable[None]]) -> None:
    """Origins in a store of a data chain."""
    with closing(SqliteStore(folder / "data.sqlite")) as sqlite:
        store = DurableStore(sqlite)
        chunks = Chunks(folder / "chunks", store, Space(folder, folder / "ballast", 0, 0))
        async with trio.open_nursery() as nursery:
            await nursery.start(store.run)
            await test(store, Origins(store), chunks)
            nursery.cancel_scope.cancel()


async def test_who_gave_the_last_of_a_chunk_that_is_kept_is_its_origin(tmp_path: Path) -> None:
    async def test(store: DurableStore, origins: Origins, chunks: Chunks) -> None:
        for fetch, (chunk, peers, kept) in enumerate(
            ((IDS[0], (OTHER, ONE), True), (IDS[1], (ONE, OTHER), True), (IDS[2], (ONE,), False))
        ):
            origins.begin(fetch, chunk)
            for peer in peers:
                origins.came(chunk, peer)
            await origins.end(fetch, kept)
        origins.came(IDS[2], ONE)  # nobody fetches it
        await origins.end(9, kept=True)
        assert [await store.read_when_there(origins.count, IDS, peer) for peer in (ONE, OTHER)] == [1, 1]

    await run(tmp_path, test)


async def test_it_goes_with_the_chunk(tmp_path: Path) -> None:
    async def test(store: DurableStore, origins: Origins, chunks: Chunks) -> None:
        origins.begin(0, IDS[0])
        origins.came(IDS[0], ONE)
        await origins.end(0, kept=True)
        assert await store.read_when_there(origins.count, IDS, ONE) == 1
        await store.write(await chunks.inventory.forget(IDS[0]))
        assert await store.read_when_there(origins.count, IDS, ONE) == 0

    await run(tmp_path, test)
