"""Chunks that are read here: proofs from a tree that is known, and what a damaged file is taken for."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from lucid.chain.chunks import SEGMENT_BYTES
from lucid.chain.segments import segment_count, segment_proof, verify_segment
from lucid.services.chunks.storedchunk import PART_BYTES, ChunkDamaged
from lucid.storage.chunkrow import CHUNK_TABLE
from lucid.storage.chunkseal import SEAL_TABLE, seal_of
from lucid.storage.findings import Finding
from lucid.storage.piecesums import PieceSums
from tests.services.chunks.nodechunks import opened
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


async def test_after_a_start_a_chunk_is_read_by_its_seal_and_a_scrub_still_goes_by_its_tree(tmp_path: Path) -> None:
    async with kept(tmp_path) as chunks:
        seal = await chunks.inventory.store.read(chunks.rows.seal, CHUNK)
    async with opened(tmp_path) as (store, chunks):
        commits = store.commits
        stored = await chunks.reader.open(CHUNK)
        assert stored is not None and stored.seal == seal and stored.read(0, stored.size) == DATA
        assert chunks.reader.sums.get(CHUNK) is None, "its tree was not looked at"
        assert await chunks.inspection.check(CHUNK) == (Finding.SOUND, len(DATA))
        assert chunks.reader.sums.get(CHUNK) is not None and store.commits == commits
        assert await chunks.reader.proof(CHUNK, lambda size: 5) is not None


@pytest.mark.parametrize("seal", [None, bytes(32), b"short"])
async def test_a_seal_that_is_gone_or_wrong_condemns_nothing_and_is_made_anew(
    tmp_path: Path, seal: bytes | None
) -> None:
    """As in a store of an older release, or one that lost the row."""
    async with kept(tmp_path) as chunks:
        right = await chunks.inventory.store.read(chunks.rows.seal, CHUNK)
    async with opened(tmp_path) as (store, chunks):
        await store.write([(SEAL_TABLE, CHUNK, seal)])
        stored = await chunks.reader.open(CHUNK)
        assert stored is not None and stored.read(0, stored.size) == DATA and not chunks.reader.suspects
        assert await store.read(chunks.rows.seal, CHUNK) == right


async def test_a_seal_is_not_made_for_a_chunk_that_changes_or_went(tmp_path: Path) -> None:
    async with kept(tmp_path) as chunks:
        store = chunks.inventory.store
        stored = await chunks.reader.open(CHUNK)
        assert stored is not None
        await store.write([(SEAL_TABLE, CHUNK, None)])
        async with chunks.inventory.change(), trio.open_nursery() as nursery:
            nursery.start_soon(chunks.reader._seal, stored)
        assert await store.read(chunks.rows.seal, CHUNK) is None
        await store.write([(CHUNK_TABLE, CHUNK, None)])
        await chunks.reader._seal(stored)
        assert await store.read(chunks.rows.seal, CHUNK) is None


@pytest.mark.parametrize("at", [0, PART_BYTES, len(DATA) - 3])
async def test_what_rots_while_the_process_is_away_is_found_by_the_first_read(tmp_path: Path, at: int) -> None:
    async with kept(tmp_path):
        pass
    rot(tmp_path / FILE, at)
    async with opened(tmp_path) as (_, chunks):
        with pytest.raises(ChunkDamaged):
            await chunks.reader.open(CHUNK)
        assert CHUNK in chunks.reader.suspects


async def test_who_writes_false_bytes_and_their_seal_is_found_by_the_scrub(tmp_path: Path) -> None:
    """No accident does: it takes someone who can write to the disk, and then readers verify for themselves."""
    async with kept(tmp_path):
        pass
    rot(tmp_path / FILE, 0)
    false, sums = (tmp_path / FILE).read_bytes(), PieceSums()
    sums.update(false)
    async with opened(tmp_path) as (store, chunks):
        await store.write([(SEAL_TABLE, CHUNK, seal_of(len(false), sums.all()))])
        assert await chunks.reader.open(CHUNK) is not None
        with pytest.raises(ChunkDamaged):
            await chunks.reader.proof(CHUNK, lambda size: 0)
        assert await chunks.inspection.check(CHUNK) == (Finding.CORRUPTED, 2 * len(DATA))
