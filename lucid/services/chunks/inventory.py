"""What of chunks is at a node: files in a folder, rows in a store, how many and of how many bytes.

A file is durable before its row: a crash between leaves a file that no row knows. Such a file is never removed: it is
taken in once its bytes are verified, or put into quarantine. Its place becomes durable together with its row, so after
a power cut its bytes may still lie where they were uploaded. There is one change at a time.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import trio

from lucid.chain.chunks import MAX_CHUNK_BYTES, chunk_id
from lucid.chain.codec import encode
from lucid.ledger.rowstore import Write
from lucid.services.chunks.chunkrows import ChunkRows
from lucid.services.chunks.faults import Faults
from lucid.services.chunks.foldermark import FolderMark
from lucid.services.chunks.letgo import GONE_TABLE, STAMP_BYTES, LetGo
from lucid.services.chunks.needs import Needs
from lucid.services.chunks.origins import forgotten
from lucid.services.process.disk import Disk, DiskFailed
from lucid.services.process.space import Space
from lucid.storage.chunkfiles import ChunkFolder
from lucid.storage.chunkrow import CHUNK_TABLE, ChunkRow, decode_row
from lucid.storage.chunkseal import SEAL_TABLE
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged, StoreOther
from lucid.storage.findings import Finding

FEW_UNKNOWN = 8
"""Files that no row knows, up to which a start asks nobody: a crash leaves one at most."""

_log = logging.getLogger("lucid.chunks")


class Inventory:
    """The chunks of one node, under a folder and in a store. `now_ms` is the clock: ms since the Unix epoch."""

    def __init__(self, folder: Path, store: DurableStore, space: Space, now_ms: Callable[[], int]) -> None:
        """Look at the folder. Raises `StoreOther` where the store knows far less than it holds, and OSError."""
        self.folder = ChunkFolder(folder)
        self.store = store
        self.space = space
        self.now_ms = now_ms
        mark = FolderMark(self.folder, store.store)
        space.told_by(mark.there)
        self.disk = Disk(store, mark.there)
        self.rows = ChunkRows(store, self.folder)
        self.faults = Faults(store)
        self.needs = Needs(store)
        self.let_go = LetGo(store)
        self.changing = trio.Lock()
        """Held by whoever changes something. What runs in the background waits for it without a bound."""
        self.count = 0
        self.quarantined = 0
        self._survey()
        if not space.away:
            self._take_back()
            self.folder.clear_incoming()

    def _survey(self) -> None:
        count = used = unknown = 0
        try:
            self.faults.survey()
            # One shelf after the other: the ids of a million chunks at once would take half of a container's memory.
            for first in range(256):
                known = set[bytes]()
                for chunk, data in self.store.scan(CHUNK_TABLE, bytes([first])):
                    if chunk[0] != first:
                        break
                    known.add(chunk)
                    used += decode_row(chunk, data).size
                count += len(known)
                unknown += sum(chunk not in known for chunk in self.folder.shelf(first))
        except StoreDamaged:
            return  # the store has logged it and says so; what can still be read is served
        self.space.used, self.count = used, count
        if unknown > FEW_UNKNOWN and unknown > count:
            raise StoreOther(
                f"the store knows {count} chunks, and {self.folder.path} holds {unknown} more: it is another "
                f"store, or an older copy. Correct `store`, or put the newer one back; "
                f"`lucid store adopt STORE --chunks {self.folder.path}` takes in what the folder holds"
            )

    def _take_back(self) -> None:
        """Give its place to what a power cut left where it was uploaded: its row was durable before its new name."""
        for path in self.folder.uploads():
            with suppress(OSError):  # the scrubber says what is missing
                chunk = chunk_id(path.read_bytes()) if path.stat().st_size <= MAX_CHUNK_BYTES else b""
                if self._lacks_file(chunk):
                    self.folder.move_in(path, chunk)
                    self.folder.settle(chunk)
                    _log.warning("chunk %s was whole and not in its place: a power cut was in between", chunk.hex())

    def _lacks_file(self, chunk: bytes) -> bool:
        """Whether a row knows a chunk and there is no file of it."""
        try:
            return self.rows.row(chunk) is not None and not self.folder.place(chunk).exists()
        except StoreDamaged:
            return False  # the store has logged it and says so

    @asynccontextmanager
    async def change(self) -> AsyncIterator[None]:
        """One change at a time, for whoever has an answer to give. Raises `DiskSlow` where the one before does not
        end."""
        await self.disk.acquire(self.changing)
        try:
            yield
        finally:
            self.changing.release()

    def gain(self, size: int) -> None:
        """Count a chunk that came."""
        self.space.used += size
        self.count += 1

    def lose(self, size: int) -> None:
        """Count a chunk that went."""
        self.space.used -= size
        self.count -= 1

    async def forget(self, chunk: bytes) -> list[Write]:
        """What removes a chunk's rows, and remembers it as gone; its references are gone already."""
        fault = await self.store.read_when_there(self.faults.of, chunk)
        gone = (GONE_TABLE, chunk, self.now_ms().to_bytes(STAMP_BYTES, "big"))
        return [
            (CHUNK_TABLE, chunk, None),
            (SEAL_TABLE, chunk, None),
            gone,
            *forgotten([chunk]),
            *self.faults.change(chunk, fault, Finding.SOUND, 0),
        ]

    async def mark(self, mark: Callable[..., None], chunk: bytes, *arguments: object) -> None:
        """Write something down on a chunk's file, if it is there. Raises `DiskFailed`."""
        try:
            await self.disk.call(mark, chunk, *arguments)
        except FileNotFoundError:
            pass  # the scrubber says so
        except OSError as error:
            raise DiskFailed(f"a chunk's file cannot be written: {error.strerror}") from None

    async def unneeded(self, chunk: bytes, row: ChunkRow) -> Write:
        """Give a file the time since when nobody needs it; returns what is to be written then. Raises `DiskFailed`."""
        now = self.now_ms()
        await self.mark(self.folder.mark_unused, chunk, now)
        return CHUNK_TABLE, chunk, encode(ChunkRow(row.size, now))
