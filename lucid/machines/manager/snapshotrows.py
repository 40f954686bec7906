"""A snapshot as the store has it: what it is of, and the rows of its parts."""

from __future__ import annotations

from lucid.chain.codec import Record

SNAPSHOT_TABLE = "snapshot"
INDEX_KEY = b"contents"
Rows = tuple[tuple[bytes, bytes], ...]


class Index(Record):
    """What the stored snapshot is of: a final block's height and hash, the branches opened, and how many parts."""

    height: int
    block: bytes
    branches: tuple[bytes, ...]
    parts: int
