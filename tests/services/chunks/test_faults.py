"""Chunks that are missing or corrupted: noted, counted over a restart, and found in pages."""

from __future__ import annotations

import pytest

from lucid.chain.chunks import chunk_id
from lucid.services.chunks.faults import FAULT_TABLE, ChunkFault, Faults
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged
from lucid.storage.findings import Finding
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
