"""What goes and when: a day after the last reference, wherever a crash cut it off, and never what somebody needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from lucid.chain.chunks import chunk_id
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.letgo import GONE_MS
from lucid.services.chunks.sweeper import KEPT_MS
from lucid.services.process.driver import clock_ms
from tests.services.chunks.dataservice import CHUNK, OTHER, SESSION, place, running
from tests.services.chunks.fleets import body
from tests.services.chunks.nodechunks import opened

ID = chunk_id(CHUNK)
NOW_MS = 1_800_000_000_000
DUE_MS = NOW_MS + KEPT_MS
OWNER = b"s" * 16


async def let_go(chunks: Chunks) -> Path:
    """A chunk that nobody refers to any more; returns where it is."""
    await chunks.put(body(CHUNK), OWNER, ID)
    assert await chunks.release(ID, OWNER) == 0
    return chunks.folder.place(ID)


async def test_a_chunk_goes_a_day_after_its_last_reference(tmp_path: Path) -> None:
    async with running(tmp_path) as (service, client):
        for session in (SESSION, OTHER):
            await client.put(place(CHUNK, session), content=CHUNK)
        assert (await client.delete(place(CHUNK))).json()["references"] == 1
        assert await service.chunks.sweeper.sweep(clock_ms() + 10 * KEPT_MS) == 0
        assert (await client.delete(place(CHUNK, OTHER))).json()["references"] == 0
        assert (await client.delete(place(CHUNK, OTHER))).status_code == 404
        assert await service.chunks.sweeper.sweep(clock_ms() + KEPT_MS - 60_000) == 0
        assert (await client.get(place(CHUNK))).status_code == 200
        await client.put(place(CHUNK), content=CHUNK)
        assert await service.chunks.sweeper.sweep(clock_ms() + 2 * KEPT_MS) == 0, "it is referred to again"
        await client.delete(place(CHUNK))
        assert await service.chunks.sweeper.sweep(clock_ms() + KEPT_MS + 60_000) == 1
        assert (await client.get(place(CHUNK))).status_code == 404 and not list(service.chunks.folder.chunks())


async def test_nothing_goes_before_it_is_known_who_else_there_is(tmp_path: Path) -> None:
    async with running(tmp_path) as (service, client):
        await client.put(place(CHUNK), content=CHUNK)
        await client.delete(place(CHUNK))
        service.replication.asked = False  # the manager is not there yet
        assert await service.chunks.sweeper.sweep(clock_ms() + 2 * KEPT_MS) == 0
        assert (await client.get(place(CHUNK))).status_code == 200
        service.replication.asked = True
        assert await service.chunks.sweeper.sweep(clock_ms() + 2 * KEPT_MS) == 1


async def test_a_chunk_is_due_a_day_later_to_the_millisecond(tmp_path: Path) -> None:
    async with opened(tmp_path, lambda: NOW_MS) as (store, chunks):
        file = await let_go(chunks)
        assert await chunks.sweeper.sweep(DUE_MS - 1) == 0 and file.exists()
        assert await chunks.sweeper.sweep(DUE_MS) == 1 and not file.exists()
        assert chunks.inventory.count == 0 and await store.read(chunks.inventory.let_go.gone, ID)
        await chunks.sweeper.sweep(NOW_MS + GONE_MS - 1)
        assert await store.read(chunks.inventory.let_go.gone, ID)
        await chunks.sweeper.sweep(NOW_MS + GONE_MS)
        assert not await store.read(chunks.inventory.let_go.gone, ID), "and is forgotten in the end"


async def test_a_file_went_and_a_crash_kept_its_row(tmp_path: Path) -> None:
    async with opened(tmp_path, lambda: NOW_MS) as (_, chunks):
        (await let_go(chunks)).unlink()
    async with opened(tmp_path, lambda: DUE_MS) as (store, chunks):
        assert chunks.inventory.count == 1
        assert await chunks.sweeper.sweep(DUE_MS) == 1
        assert chunks.inventory.count == 0 and await store.read(chunks.rows.known, ID) is None


@pytest.mark.parametrize("agrees", [True, False])
async def test_others_are_asked_of_what_is_due_alone(tmp_path: Path, agrees: bool) -> None:
    async with opened(tmp_path, lambda: NOW_MS) as (_, chunks):
        asked: list[list[bytes]] = []

        async def agreed(due: Sequence[bytes]) -> set[bytes]:
            asked.append(list(due))
            return set(due) if agrees else set()

        chunks.sweeper.agreed = agreed
        file = await let_go(chunks)
        assert await chunks.sweeper.sweep(DUE_MS - 1) == 0 and not asked
        assert await chunks.sweeper.sweep(DUE_MS) == agrees and asked == [[ID]]
        assert file.exists() is not agrees


@pytest.mark.parametrize("how", ["stored", "needed"])
async def test_who_comes_to_need_a_chunk_while_others_are_asked_keeps_it(tmp_path: Path, how: str) -> None:
    async with opened(tmp_path, lambda: NOW_MS) as (store, chunks):
        file = await let_go(chunks)

        async def agreed(due: Sequence[bytes]) -> set[bytes]:
            if how == "stored":
                await chunks.put(body(CHUNK), OWNER, ID)
            else:
                await store.write(await store.read(chunks.needs.said, b"n" * 32, b"t" * 16, due, NOW_MS))
            return set(due)

        chunks.sweeper.agreed = agreed
        assert await chunks.sweeper.sweep(DUE_MS) == 0
        row = await store.read(chunks.rows.row, ID)
        assert file.exists() and row is not None and not row.unused_since_ms, "nor is it due later"


async def test_a_file_that_was_stored_again_past_this_store_is_kept(tmp_path: Path) -> None:
    async with opened(tmp_path, lambda: NOW_MS) as (_, chunks):
        file = await let_go(chunks)
        file.write_bytes(CHUNK)  # its time is another now
        assert await chunks.sweeper.sweep(DUE_MS) == 0 and await chunks.sweeper.sweep(DUE_MS + 9 * KEPT_MS) == 0
        assert file.read_bytes() == CHUNK
