"""Chunks that are read here: proofs from a tree that is known, and what a damaged file is taken for."""

from __future__ import annotations

from pathlib import Path

import pytest

from lucid.chain.chunks import SEGMENT_BYTES
from lucid.chain.segments import segment_count, segment_proof, verify_segment
from lucid.services.chunks.storedchunk import ChunkDamaged
from tests.services.chunks.onechunk import CHUNK, DATA, FILE, kept, rot


async def test_a_warm_proof_reads_one_part_and_a_cold_one_all(tmp_path: Path) -> None:
    async with kept(tmp_path) as chunks:
        for segment in (0, 63, 64, segment_count(len(DATA)) - 1):
            found = await chunks.reader.proof(CHUNK, lambda size, segment=segment: segment)  # type: ignore[misc]
            assert found is not None and found.path == segment_proof(DATA, segment)
            assert found.data == DATA[segment * SEGMENT_BYTES : (segment + 1) * SEGMENT_BYTES]
            assert verify_segment(CHUNK, found.size, segment, found.data, found.path)
        rot(tmp_path / FILE, 0)
        assert await chunks.reader.proof(CHUNK, lambda size: 100) is not None
        with pytest.raises(ChunkDamaged):
            await chunks.reader.proof(CHUNK, lambda size: 1)
        assert CHUNK in chunks.reader.suspects
