"""Chunks that are read part by part, each segment verified: what is damaged on the way is fetched, and it goes on."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
import trio

from lucid.chain.chunks import SEGMENT_BYTES, chunk_id, segment_count, segment_proof, verify_segment
from lucid.services.chunks import storedchunk
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.reading import Reading
from lucid.services.chunks.storedchunk import PART_BYTES, ChunkDamaged, StoredChunk, Trees
from lucid.services.process.space import Space
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore

DATA = random.Random(1).randbytes(3 * PART_BYTES + 5_000)
CHUNK = chunk_id(DATA)
FILE = Path("chunks") / CHUNK.hex()[:2] / CHUNK.hex()


class Others:
    """Nodes that have the chunk, or not."""

    def __init__(self, chunks: Chunks, have: bool) -> None:
        self.connected = {b"peer"}
        self.asked = 0
        self._chunks = chunks
        self._have = have

    async def obtain(self, chunk: bytes) -> bool:
        """Store the chunk again."""
        self.asked += 1
        if self._have:
            await self._chunks.put(upload(DATA), None, chunk)
        return self._have

    def belongs(self, chunk: bytes) -> bool:
        """Nothing else does."""
        return False


async def upload(data: bytes) -> AsyncIterator[bytes]:
    yield data


@asynccontextmanager
async def kept(folder: Path) -> AsyncIterator[Chunks]:
    """A store with the chunk in it."""
    with closing(SqliteStore(folder / "data.sqlite")) as sqlite:
        store = DurableStore(sqlite)
        chunks = Chunks(folder / "chunks", store, Space(folder, folder / "ballast", 0, 0))
        async with trio.open_nursery() as nursery:
            await nursery.start(store.run)
            await chunks.put(upload(DATA), bytes(48), None)
            yield chunks
            store.end()
            nursery.cancel_scope.cancel()


def rot(file: Path, at: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(b"rot")


def reading(chunks: Chunks, others: Others) -> Any:
    return Reading(chunks, others)  # type: ignore[arg-type]


async def test_what_is_damaged_on_the_way_comes_from_another_node_and_heals(tmp_path: Path) -> None:
    async with kept(tmp_path) as chunks:
        others = Others(chunks, have=True)
        reader = reading(chunks, others)
        stored = await reader.here(CHUNK)
        rot(tmp_path / FILE, 2 * PART_BYTES + 77)
        assert b"".join([part async for part in reader.parts(stored, 10, len(DATA) - 3)]) == DATA[10:-3]
        assert others.asked == 1 and (tmp_path / FILE).read_bytes() == DATA and chunks.damaged == 1
        assert b"".join([part async for part in reader.parts(await reader.here(CHUNK), 0, len(DATA))]) == DATA
        assert others.asked == 1


async def test_damaged_bytes_are_never_given_where_nobody_else_has_them(tmp_path: Path) -> None:
    async with kept(tmp_path) as chunks:
        reader, found = reading(chunks, Others(chunks, have=False)), b""
        stored = await reader.here(CHUNK)
        rot(tmp_path / FILE, PART_BYTES + 1)
        with pytest.raises(ChunkDamaged):
            async for part in reader.parts(stored, 0, len(DATA)):
                found += part
        assert found == DATA[:PART_BYTES]


async def test_without_others_all_of_it_is_verified_before_the_first_byte(tmp_path: Path) -> None:
    async with kept(tmp_path) as chunks:
        others = Others(chunks, have=False)
        others.connected = set()
        rot(tmp_path / FILE, len(DATA) - 4)
        with pytest.raises(ChunkDamaged):
            await reading(chunks, others).here(CHUNK)


async def test_a_warm_proof_reads_one_part_and_a_cold_one_all(tmp_path: Path) -> None:
    async with kept(tmp_path) as chunks:
        for segment in (0, 63, 64, segment_count(len(DATA)) - 1):
            found = await chunks.proof(CHUNK, lambda size, segment=segment: segment)  # type: ignore[misc]
            assert found is not None and found.path == segment_proof(DATA, segment)
            assert found.data == DATA[segment * SEGMENT_BYTES : (segment + 1) * SEGMENT_BYTES]
            assert verify_segment(CHUNK, found.size, segment, found.data, found.path)
        rot(tmp_path / FILE, 0)
        assert await chunks.proof(CHUNK, lambda size: 100) is not None
        with pytest.raises(ChunkDamaged):
            await chunks.proof(CHUNK, lambda size: 1)
        assert CHUNK in chunks.suspects


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
