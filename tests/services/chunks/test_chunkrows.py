"""The rows of chunks and references: found by chunk, in order, and what tells that a chunk was let go."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from lucid.chain.codec import encode
from lucid.services.chunks.chunkrows import ChunkRows, Known
from lucid.services.chunks.reference import REFERENCE_TABLE, Reference
from lucid.storage.chunkfiles import ChunkFolder
from lucid.storage.chunkrow import CHUNK_TABLE, ChunkRow
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged
from lucid.storage.sqlite import SqliteStore

CHUNKS = [bytes(32), bytes(31) + b"\x01", b"\x01" + bytes(31), b"\xff" * 31 + b"\xfe", b"\xff" * 32]
"""Neighbors, and both ends."""
CHUNK = b"\xab" * 32
MINUTE_MS = 60_000
LET_GO_MS = 1_800_000_000_000


@pytest.fixture
def rows(store: SqliteStore, tmp_path: Path) -> ChunkRows:
    """Of an empty store."""
    return ChunkRows(DurableStore(store), ChunkFolder(tmp_path / "chunks"))


def test_references_are_those_of_the_chunk_alone_and_in_order(store: SqliteStore, rows: ChunkRows) -> None:
    chance = Random(1)
    sessions = [bytes(16), b"\xff" * 48, bytes(48), *(chance.randbytes(chance.choice((16, 48))) for _ in range(5))]
    held: dict[bytes, dict[bytes, Reference]] = {chunk: {} for chunk in CHUNKS}
    for number, chunk in enumerate(CHUNKS[:-1]):
        for session in chance.sample(sessions, 1 + number):
            held[chunk][session] = Reference(since_ms=chance.randrange(2**48), holder=chance.randbytes(number))
            store.write([(REFERENCE_TABLE, chunk + session, encode(held[chunk][session]))])
    for number, chunk in enumerate(CHUNKS):
        found = rows.references(chunk)
        assert found == held[chunk] and list(found) == sorted(found)
        assert rows.known(chunk) is None, "references alone are no chunk"
        row = ChunkRow(size=1_000 + number, unused_since_ms=0)
        store.write([(CHUNK_TABLE, chunk, encode(row))])
        assert rows.row(chunk) == row and rows.known(chunk) == Known(row, held[chunk])
    assert list(rows.unused()) == []
    for chunk in CHUNKS[::2]:
        store.write([(CHUNK_TABLE, chunk, encode(ChunkRow(size=7, unused_since_ms=9)))])
    assert [chunk for chunk, _ in rows.unused()] == CHUNKS[::2]


@pytest.mark.parametrize(
    ("unused_ms", "file_ms", "gone"),
    [
        (LET_GO_MS, LET_GO_MS, True),
        (LET_GO_MS, None, True),
        (LET_GO_MS, LET_GO_MS + MINUTE_MS, False),
        (LET_GO_MS, LET_GO_MS - 1, False),
        (0, LET_GO_MS, False),
        (0, None, False),
        (None, LET_GO_MS, False),
    ],
    ids=["both say so", "no file", "stored again", "of another store", "used", "used and lost", "no row"],
)
def test_a_chunk_was_let_go_where_row_and_file_agree(
    store: SqliteStore, rows: ChunkRows, tmp_path: Path, unused_ms: int | None, file_ms: int | None, gone: bool
) -> None:
    if unused_ms is not None:
        store.write([(CHUNK_TABLE, CHUNK, encode(ChunkRow(size=1_024, unused_since_ms=unused_ms)))])
    if file_ms is not None:
        place = ChunkFolder(tmp_path / "chunks").place(CHUNK)
        place.parent.mkdir(parents=True)
        place.touch()
        os.utime(place, ns=(file_ms * 1_000_000,) * 2)
    assert rows.let_go(CHUNK) is gone


@pytest.mark.parametrize("table", [CHUNK_TABLE, REFERENCE_TABLE])
def test_a_row_that_cannot_be_read_is_damage_and_says_where(store: SqliteStore, rows: ChunkRows, table: str) -> None:
    store.write([(CHUNK_TABLE, CHUNK, encode(ChunkRow(size=1_024, unused_since_ms=0)))])
    store.write([(table, CHUNK + bytes(16) * (table == REFERENCE_TABLE), b"\xc1")])
    with pytest.raises(StoreDamaged) as caught:
        rows.known(CHUNK)
    assert table in caught.value.sentence and CHUNK.hex() in caught.value.sentence
