"""What the machine of replication sees of chunks at its node: known, sound, offered, gone, and page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lucid.chain.chunks import chunk_id
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.storeshelf import StoreShelf
from lucid.services.chunks.sweeper import KEPT_MS
from lucid.storage.durable import DurableStore
from lucid.storage.findings import Finding
from tests.services.chunks.fleets import body
from tests.services.chunks.nodechunks import opened

SESSION = bytes(16)
NOW_MS = 1_800_000_000_000
BODIES = [bytes([number]) * 1_500 for number in range(6)]
SOUND, LOST, ROTTEN, LET_GO, LET_GO_AND_LOST, GONE = IDS = [chunk_id(data) for data in BODIES]


@asynccontextmanager
async def shelf(folder: Path) -> AsyncIterator[tuple[DurableStore, Chunks, StoreShelf]]:
    """One chunk of each kind."""
    async with opened(folder, lambda: NOW_MS) as (store, chunks):
        for data in BODIES:
            await chunks.put(body(data), SESSION, None)
        await chunks.release(GONE, SESSION)
        assert await chunks.sweeper.sweep(NOW_MS + KEPT_MS) == 1
        for chunk in (LOST, LET_GO_AND_LOST):
            chunks.folder.remove(chunk)
        chunks.folder.place(ROTTEN).write_bytes(b"rot" * 500)
        for chunk in (LOST, ROTTEN, LET_GO_AND_LOST):
            assert await chunks.inspection.check(chunk) is not None
        for chunk in (LET_GO, LET_GO_AND_LOST):
            await chunks.release(chunk, SESSION)
        yield store, chunks, StoreShelf(chunks.inventory)


@pytest.mark.parametrize(
    ("question", "chunks"),
    [
        ("kept", {SOUND, LOST, ROTTEN, LET_GO, LET_GO_AND_LOST}),
        ("sound", {SOUND, LET_GO}),
        ("offered", {SOUND}),
        ("gone", {GONE}),
    ],
)
async def test_each_question_is_answered_of_each_kind(tmp_path: Path, question: str, chunks: set[bytes]) -> None:
    async with shelf(tmp_path) as (store, _, seen):
        found = await store.read(lambda: {chunk for chunk in (*IDS, bytes(32)) if getattr(seen, question)(chunk)})
        assert found == chunks


async def test_pages_begin_at_a_chunk_and_hold_so_many(tmp_path: Path) -> None:
    async with shelf(tmp_path) as (store, _, seen):
        known = sorted(set(IDS) - {GONE})
        assert await store.read(seen.page, b"", 100) == ([SOUND], b"")
        for first in range(4):
            page = [each for each in known[first : first + 2] if each == SOUND]
            assert await store.read(seen.page, known[first], 2) == (page, known[first + 1] + b"\x00")
        assert await store.read(seen.page, known[-1] + b"\x00", 2) == ([], b"")


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
async def test_what_is_faulty_comes_page_by_page_without_what_was_let_go(tmp_path: Path, limit: int) -> None:
    async with shelf(tmp_path) as (store, chunks, seen):
        assert chunks.faults.counts == {Finding.MISSING: 2, Finding.CORRUPTED: 1}
        found, after, pages = list[bytes](), b"", 0
        while pages == 0 or after:
            faulty, after = await store.read(seen.faulty, after, limit)
            found += faulty
            pages += 1
            assert pages <= 4
        assert found == sorted([LOST, ROTTEN])
