"""Chunks that are read part by part, each segment verified: what is damaged on the way is fetched, and it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.reading import Reading
from lucid.services.chunks.storedchunk import PART_BYTES, ChunkDamaged
from tests.services.chunks.fleets import body
from tests.services.chunks.onechunk import CHUNK, DATA, FILE, kept, rot


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
            await self._chunks.put(body(DATA), None, chunk)
        return self._have

    def belongs(self, chunk: bytes) -> bool:
        """Nothing else does."""
        return False


def reading(chunks: Chunks, others: Others) -> Any:
    return Reading(chunks, others)  # type: ignore[arg-type]


async def test_what_is_damaged_on_the_way_comes_from_another_node_and_heals(tmp_path: Path) -> None:
    async with kept(tmp_path) as chunks:
        others = Others(chunks, have=True)
        reader = reading(chunks, others)
        stored = await reader.here(CHUNK)
        rot(tmp_path / FILE, 2 * PART_BYTES + 77)
        assert b"".join([part async for part in reader.parts(stored, 10, len(DATA) - 3)]) == DATA[10:-3]
        assert others.asked == 1 and (tmp_path / FILE).read_bytes() == DATA and chunks.reader.damaged == 1
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
