"""A chunk's file, opened and verified: by its tree, by the sums of its pieces, and from memory where there is room."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from lucid.chain.chunks import SEGMENT_BYTES
from lucid.chain.segments import segment_proof
from lucid.services.chunks.remembered import MAX_TREE_BYTES, Remembered
from lucid.services.chunks.storedchunk import PART_BYTES, ChunkDamaged, StoredChunk
from lucid.storage.hashcache import HashCache
from tests.services.chunks.onechunk import CHUNK, DATA, rot


def test_a_file_of_another_length_is_damaged_however_it_is_read(tmp_path: Path) -> None:
    remembered, file = Remembered(), tmp_path / "chunk"
    file.write_bytes(DATA)
    StoredChunk(file, CHUNK, remembered)
    for wrong in (DATA[:-1], DATA + b"x", DATA[:PART_BYTES], b""):
        file.write_bytes(wrong)
        for memory in (remembered, Remembered()):
            with pytest.raises(ChunkDamaged):
                StoredChunk(file, CHUNK, memory)
        warm = StoredChunk(file, CHUNK, remembered, warm=True)
        if wrong == DATA + b"x":
            assert warm.read(0, warm.size) == DATA, "what follows is not read"
        else:
            with pytest.raises(ChunkDamaged):
                warm.read(0, warm.size)


@pytest.mark.parametrize("at", [0, PART_BYTES - 3, PART_BYTES, len(DATA) - 3])
def test_what_is_remembered_does_not_stand_for_what_is_there(tmp_path: Path, at: int) -> None:
    remembered, file = Remembered(), tmp_path / "chunk"
    file.write_bytes(DATA)
    StoredChunk(file, CHUNK, remembered)
    before = file.stat()
    rot(file, at)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ChunkDamaged):
        StoredChunk(file, CHUNK, remembered)
    warm = StoredChunk(file, CHUNK, remembered, warm=True)
    with pytest.raises(ChunkDamaged):
        warm.read(at, at + 1)


def test_with_room_it_is_read_once_and_without_each_part_is_verified_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lucid.services.chunks.remembered.HELD_BYTES", 2 * len(DATA) - 1)
    remembered, file = Remembered(), tmp_path / "chunk"
    file.write_bytes(DATA)
    first, second = (StoredChunk(file, CHUNK, remembered) for _ in range(2))
    assert first.held and not second.held, "there is room for one of them"
    rot(file, 0)
    assert first.read(0, first.size) == DATA and first.read(5, PART_BYTES + 5) == DATA[5 : PART_BYTES + 5]
    with pytest.raises(ChunkDamaged):
        second.read(0, 1)
    with pytest.raises(ChunkDamaged):
        StoredChunk(file, CHUNK, remembered)
    file.write_bytes(DATA)
    del first
    gc.collect()
    assert StoredChunk(file, CHUNK, remembered).held, (
        "who is done with it gives the room back, and so does a damaged one"
    )


def test_a_segment_is_proven_whatever_is_remembered(tmp_path: Path) -> None:
    file = tmp_path / "chunk"
    file.write_bytes(DATA)
    remembered = Remembered()
    for number in (70, 3):  # by the tree that was read, and by the one that is known since
        stored = StoredChunk(file, CHUNK, remembered, warm=True)
        remembered.trees = HashCache(MAX_TREE_BYTES) if number == 70 else remembered.trees
        found = stored.prove(number)
        assert found.path == segment_proof(DATA, number) and found.size == len(DATA)
        assert found.data == DATA[number * SEGMENT_BYTES : (number + 1) * SEGMENT_BYTES]
    with pytest.raises(IndexError):
        StoredChunk(file, CHUNK, remembered, warm=True).prove(10_000)
