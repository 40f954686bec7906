"""Chunks that are missing or corrupted: noted, counted over a restart, found in pages, and told apart on the disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lucid.chain.chunks import MAX_CHUNK_BYTES, chunk_id
from lucid.services.chunks.faults import FAULT_TABLE, ChunkFault, Faults, Finding, look_at
from lucid.storage.durable import DurableStore
from lucid.storage.interface import StoreDamaged
from lucid.storage.sqlite import SqliteStore

DATA = bytes(range(256)) * 20
CHUNK = chunk_id(DATA)
IDS = [bytes([number]) * 32 for number in range(5)]


def test_a_fault_is_noted_with_the_time_at_which_it_was_found_first(store: SqliteStore) -> None:
    faults = Faults(DurableStore(store))

    def find(finding: Finding, now_ms: int) -> ChunkFault | None:
        store.write(faults.change(CHUNK, faults.of(CHUNK), finding, now_ms))
        return faults.of(CHUNK)

    assert find(Finding.SOUND, 1) is None and not list(store.scan(FAULT_TABLE))
    assert find(Finding.MISSING, 2) == find(Finding.MISSING, 3) == ChunkFault(finding=1, since_ms=2)
    assert faults.counts == {Finding.MISSING: 1, Finding.CORRUPTED: 0}
    assert find(Finding.CORRUPTED, 4) == ChunkFault(finding=2, since_ms=4)
    assert faults.counts == {Finding.MISSING: 0, Finding.CORRUPTED: 1}
    assert find(Finding.SOUND, 5) is None and faults.counts == {Finding.MISSING: 0, Finding.CORRUPTED: 0}


def test_they_are_counted_and_paged_by_whoever_starts_anew(store: SqliteStore) -> None:
    before = Faults(DurableStore(store))
    for number, chunk in enumerate(IDS):
        store.write(before.change(chunk, None, Finding(1 + number % 2), number))
    faults = Faults(DurableStore(store))
    faults.survey()
    assert faults.counts == before.counts == {Finding.MISSING: 3, Finding.CORRUPTED: 2}
    assert [chunk for chunk, _ in faults.page(b"", 2)] == IDS[:2]
    assert [chunk for chunk, _ in faults.page(IDS[1], 9)] == IDS[2:] and faults.page(IDS[-1], 9) == []


@pytest.mark.parametrize("row", [b"", b"\xc1", b"\x92\x07\x00"], ids=["empty", "no row", "no such finding"])
def test_a_row_that_says_nothing_is_damage(store: SqliteStore, row: bytes) -> None:
    store.write([(FAULT_TABLE, CHUNK, row)])
    faults = Faults(DurableStore(store))
    for look in (faults.survey, lambda: faults.of(CHUNK), lambda: faults.page(b"", 1)):
        with pytest.raises(StoreDamaged) as caught:
            look()
        assert "fault" in caught.value.sentence and CHUNK.hex() in caught.value.sentence


def pipe(path: Path) -> None:
    """What never ends to be read."""
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("put", "finding", "read"),
    [
        (lambda path: None, Finding.MISSING, 0),
        (lambda path: path.write_bytes(DATA), Finding.SOUND, len(DATA)),
        (lambda path: path.write_bytes(DATA[:-1]), Finding.CORRUPTED, len(DATA) - 1),
        (lambda path: path.write_bytes(b""), Finding.CORRUPTED, 0),
        (Path.mkdir, Finding.CORRUPTED, 0),
        (pipe, Finding.CORRUPTED, 0),
        (lambda path: path.symlink_to("/dev/zero"), Finding.CORRUPTED, 0),
        (lambda path: path.symlink_to(path), Finding.CORRUPTED, 0),
    ],
    ids=["nothing", "its bytes", "a byte less", "empty", "folder", "pipe", "device", "circle"],
)
def test_a_file_is_what_its_bytes_are(
    tmp_path: Path, put: Callable[[Path], object], finding: Finding, read: int
) -> None:
    put(tmp_path / "file")
    assert look_at(tmp_path / "file", CHUNK) == (finding, read)


def test_an_endless_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(64 * MAX_CHUNK_BYTES)
    finding, read = look_at(tmp_path / "file", CHUNK)
    assert finding is Finding.CORRUPTED and MAX_CHUNK_BYTES < read < 2 * MAX_CHUNK_BYTES


def test_a_file_that_cannot_be_asked_for_is_not_called_wrong(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="too long"):
        look_at(tmp_path / ("x" * 300), CHUNK)
