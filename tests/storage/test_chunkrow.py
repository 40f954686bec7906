"""A row of a chunk is read, or is damage of its store."""

from __future__ import annotations

import pytest

from lucid.chain.codec import encode
from lucid.storage.chunkrow import CHUNK_TABLE, ChunkRow, decode_row
from lucid.storage.errors import StoreDamaged
from tests.storage.test_chunkfiles import CHUNK


def test_a_row_that_is_none_is_damage_that_names_it() -> None:
    row = ChunkRow(size=7, unused_since_ms=9)
    assert decode_row(CHUNK, encode(row)) == row
    for data in (b"", encode(row)[:-1], encode(row) + b"\0", b"\xff"):
        with pytest.raises(StoreDamaged) as damaged:
            decode_row(CHUNK, data)
        assert damaged.value.sentence == f"the store is damaged in the table {CHUNK_TABLE} at the key {CHUNK.hex()}"
