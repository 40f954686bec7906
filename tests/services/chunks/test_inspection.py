"""Chunks read again from their disk: what each is found to be, what is set aside, and what changes meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from lucid.chain.chunks import chunk_id
from lucid.services.chunks.chunks import Chunks
from lucid.storage.durable import DurableStore
from lucid.storage.findings import Finding
from tests.services.chunks.fleets import body
from tests.services.chunks.nodechunks import opened
from tests.waiting import until

DATA = bytes(range(256)) * 20
CHUNK = chunk_id(DATA)
NONE = {Finding.MISSING: 0, Finding.CORRUPTED: 0}


def flip(path: Path) -> None:
    """One bit is another."""
    path.write_bytes(bytes([DATA[0] ^ 1]) + DATA[1:])


def folder_instead(path: Path) -> None:
    """What is there is no file."""
    path.unlink()
    path.mkdir()


def link_instead(path: Path) -> None:
    """The bytes are right, and not this node's."""
    path.rename(path.parent / "elsewhere")
    path.symlink_to(path.parent / "elsewhere")


async def fault_of(store: DurableStore, chunks: Chunks) -> int | None:
    """What is noted of the chunk."""
    fault = await store.read(chunks.faults.of, CHUNK)
    return None if fault is None else fault.finding


def quarantined(chunks: Chunks) -> list[str]:
    """The files that were set aside."""
    return sorted(path.name for path in (chunks.folder.path / "quarantine").glob("*"))


async def test_what_is_sound_is_left_and_what_is_not_here_is_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, chunks):
        assert await chunks.inspection.check(CHUNK) is None
        await chunks.put(body(DATA), bytes(16), CHUNK)
        commits = store.commits
        assert await chunks.inspection.check(CHUNK) == (Finding.SOUND, len(DATA))
        assert store.commits == commits, "it costs no write"
        assert chunks.faults.counts == NONE and not quarantined(chunks)


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        (flip, Finding.CORRUPTED),
        (lambda path: path.write_bytes(b""), Finding.CORRUPTED),
        (lambda path: path.write_bytes(DATA + b"x"), Finding.CORRUPTED),
        (folder_instead, Finding.CORRUPTED),
        (link_instead, Finding.CORRUPTED),
        (Path.unlink, Finding.MISSING),
    ],
    ids=["bit", "empty", "longer", "folder", "link", "gone"],
)
async def test_what_is_wrong_is_noted_once_and_set_aside(
    tmp_path: Path, damage: Callable[[Path], object], finding: Finding
) -> None:
    async with opened(tmp_path, lambda: 77) as (store, chunks):
        await chunks.put(body(DATA), bytes(16), CHUNK)
        place = chunks.folder.place(CHUNK)
        damage(place)
        for _ in range(2):  # what was set aside is still what it was, and not missing
            found = await chunks.inspection.check(CHUNK)
            assert found is not None and found[0] is finding
            assert chunks.faults.counts == NONE | {finding: 1} and await fault_of(store, chunks) == finding
            expected = [CHUNK.hex()] if finding is Finding.CORRUPTED else []
            assert quarantined(chunks) == expected and chunks.inventory.quarantined == len(expected)
        place.unlink(missing_ok=True)
        place.write_bytes(DATA)
        assert await chunks.inspection.check(CHUNK) == (Finding.SOUND, 2 * len(DATA))
        assert chunks.faults.counts == NONE and await fault_of(store, chunks) is None


async def test_a_bad_file_in_the_place_of_one_that_was_set_aside_is_set_aside_too(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, chunks):
        await chunks.put(body(DATA), bytes(16), CHUNK)
        for number in range(3):
            flip(chunks.folder.place(CHUNK))
            await chunks.inspection.check(CHUNK)
            assert len(quarantined(chunks)) == number + 1 and chunks.faults.counts[Finding.CORRUPTED] == 1


async def test_what_is_stored_again_while_it_is_read_is_not_set_aside(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, chunks):
        await chunks.put(body(DATA), bytes(16), CHUNK)
        place, found = chunks.folder.place(CHUNK), list[object]()
        flip(place)

        async def check() -> None:
            found.append(await chunks.inspection.check(CHUNK))

        await chunks.index.level()  # it waits for nothing any more
        async with trio.open_nursery() as nursery, chunks.inventory.changing:
            nursery.start_soon(check)
            await until(lambda: chunks.inventory.changing.statistics().tasks_waiting)
            place.write_bytes(DATA)
        assert found == [(Finding.SOUND, 2 * len(DATA))]
        assert not quarantined(chunks) and chunks.faults.counts == NONE and await fault_of(store, chunks) is None


async def test_what_goes_while_it_is_read_is_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, chunks):
        await chunks.put(body(DATA), bytes(16), CHUNK)
        flip(chunks.folder.place(CHUNK))
        found = list[object]()

        async def check() -> None:
            found.append(await chunks.inspection.check(CHUNK))

        await chunks.index.level()  # it waits for nothing any more
        async with trio.open_nursery() as nursery, chunks.inventory.changing:
            nursery.start_soon(check)
            await until(lambda: chunks.inventory.changing.statistics().tasks_waiting)
            await store.write(await chunks.inventory.forget(CHUNK))
        assert found == [None] and chunks.faults.counts == NONE and await fault_of(store, chunks) is None
