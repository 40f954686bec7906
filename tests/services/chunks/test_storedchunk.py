"""A chunk's file, opened and verified, and the hashes that are kept of those that were."""

from __future__ import annotations

from pathlib import Path

import pytest

from lucid.services.chunks import storedchunk
from lucid.services.chunks.storedchunk import PART_BYTES, ChunkDamaged, StoredChunk, Trees
from tests.services.chunks.onechunk import CHUNK, DATA


def test_a_file_of_another_length_is_damaged_however_it_is_read(tmp_path: Path) -> None:
    trees, file = Trees(), tmp_path / "chunk"
    file.write_bytes(DATA)
    StoredChunk(file, CHUNK, trees)
    for wrong in (DATA[:-1], DATA + b"x", DATA[:PART_BYTES], b""):
        file.write_bytes(wrong)
        with pytest.raises(ChunkDamaged):
            StoredChunk(file, CHUNK, trees)
        warm = StoredChunk(file, CHUNK, trees, warm=True)
        if wrong == DATA + b"x":
            assert warm.read(0, warm.size) == DATA, "what follows is not read"
        else:
            with pytest.raises(ChunkDamaged):
                warm.read(0, warm.size)


def test_hashes_are_kept_of_so_many_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storedchunk, "MAX_TREE_BYTES", 320)
    trees = Trees()
    for number in range(20):
        trees.keep(bytes([number]), 4_096, bytes(32))
        trees.keep(bytes([number]), 4_096, bytes(32))
        assert trees.get(b"\0") == (4_096, bytes(32)), "it is asked for again and again"
    assert [number for number in range(20) if trees.get(bytes([number]))] == [0, *range(11, 20)]
    trees.keep(b"large", 1, bytes(352))
    assert trees.get(b"large") is None and trees.get(b"\0") is None
