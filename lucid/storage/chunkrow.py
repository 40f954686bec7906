"""The row of a chunk that is stored: its bytes, and since when nobody refers to it."""

from __future__ import annotations

from lucid.chain.codec import Record, decode
from lucid.chain.errors import LucidError
from lucid.storage.errors import StoreDamaged

CHUNK_TABLE = "chunk"


class ChunkRow(Record):
    """A chunk that is stored: its bytes, and since when nobody refers to it (0 if somebody does, or may)."""

    size: int
    unused_since_ms: int


def decode_row(chunk: bytes, data: bytes) -> ChunkRow:
    """A chunk's row. Raises `StoreDamaged`."""
    try:
        return decode(data, ChunkRow)
    except LucidError as error:
        raise StoreDamaged(f"a row cannot be read: {error}", CHUNK_TABLE, chunk) from None
