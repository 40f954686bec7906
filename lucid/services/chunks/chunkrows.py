"""The rows of a store that say which chunks are here and who refers to them. All of it runs in worker threads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lucid.services.chunks.reference import REFERENCE_TABLE, Reference, decode_reference
from lucid.storage.chunkfiles import ChunkFolder
from lucid.storage.chunkrow import CHUNK_TABLE, ChunkRow, decode_row
from lucid.storage.chunkseal import SEAL_TABLE
from lucid.storage.durable import DurableStore


class Known(NamedTuple):
    """A chunk's row and the sessions that refer to it, in order."""

    row: ChunkRow
    sessions: dict[bytes, Reference]


class ChunkRows:
    """What one store knows of chunks. What it does raises `StoreError`."""

    def __init__(self, store: DurableStore, folder: ChunkFolder) -> None:
        self._store = store
        self._folder = folder

    def row(self, chunk: bytes) -> ChunkRow | None:
        """What is known of a chunk."""
        data = self._store.get(CHUNK_TABLE, chunk)
        return None if data is None else decode_row(chunk, data)

    def seal(self, chunk: bytes) -> bytes | None:
        """By what a chunk's bytes are known again, if that is known."""
        return self._store.get(SEAL_TABLE, chunk)

    def references(self, chunk: bytes) -> dict[bytes, Reference]:
        """The sessions that refer to a chunk, in order."""
        found = {}
        for key, value in self._store.scan(REFERENCE_TABLE, chunk):
            if key[:32] != chunk:
                break
            found[key[32:]] = decode_reference(chunk, value)
        return found

    def refers(self, chunk: bytes, session: bytes) -> bool:
        """Whether a session refers to a chunk."""
        return self._store.get(REFERENCE_TABLE, chunk + session) is not None

    def known(self, chunk: bytes) -> Known | None:
        """A chunk's row and references."""
        row = self.row(chunk)
        return None if row is None else Known(row, self.references(chunk))

    def let_go(self, chunk: bytes) -> bool:
        """Whether a chunk that is here was let go and not stored again."""
        row = self.row(chunk)
        if row is None or not row.unused_since_ms:
            return False
        # An older store, or another's, may remember what was taken back.
        return self._folder.unused_since_ms(chunk) in (None, row.unused_since_ms)

    def unused(self) -> Iterator[tuple[bytes, ChunkRow]]:
        """The chunks to which nobody refers, and their rows."""
        rows = ((chunk, decode_row(chunk, data)) for chunk, data in self._store.scan(CHUNK_TABLE))
        return ((chunk, row) for chunk, row in rows if row.unused_since_ms)
