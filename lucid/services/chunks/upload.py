"""A chunk being stored: its tree is hashed in one thread while another writes it, up to 2 MiB at a time."""

from __future__ import annotations

from pathlib import Path

import trio

from lucid.services.process.disk import EARLY_BYTES, Disk, NewFile
from lucid.storage.piecesums import SummingHasher

GATHERED_BYTES = 2 << 20
"""What is gathered in memory before it goes to threads: to hand over each 64 KiB, as HTTP brings them, takes as long
as to hash and write them, and each MiB still a tenth of it, more on a busy machine."""


class Upload:
    """One chunk's bytes, in order. `size` counts those that were added, `hasher` knows them once all are `durable`."""

    def __init__(self, disk: Disk, path: Path, gathered: int = GATHERED_BYTES) -> None:
        """Into a new file. Gather up to so many bytes, which the caller has room for."""
        self.hasher = SummingHasher()
        self.size = 0
        self._disk = disk
        self._path = path
        self._file: NewFile | None = None
        # One piece of memory for all of it: new pages for each MiB would cost as much as hashing that.
        self._gathered = memoryview(bytearray(gathered))
        self._held = 0
        """How much of that is waiting."""

    async def add(self, part: bytes) -> None:
        """Take the next bytes. Raises `DiskSlow` and OSError."""
        self.size += len(part)
        if not self._gathered:
            await self._take_in(memoryview(part))
            return
        left = memoryview(part)
        while left:
            # Not before there is more: what comes last is hashed while the disk makes it durable.
            if self._held == len(self._gathered):
                await self._take_in(self._gathered)
                self._held = 0
            room = len(self._gathered) - self._held
            now, left = left[:room], left[room:]
            self._gathered[self._held : self._held + len(now)] = now
            self._held += len(now)

    async def durable(self, expected: bytes | None) -> bytes:
        """Write what was added, durably; returns the chunk's id. Of a few bytes that have another id than the one that
        is expected nothing is made durable; of many the disk begins before the id is known. Raises `DiskSlow` and
        OSError."""
        data = self._gathered[: self._held]
        if self.size < EARLY_BYTES:
            return await self._disk.call(self._finish_small, data, expected)
        async with self._disk.beside(self._write_durably, data):
            return await trio.to_thread.run_sync(self._hash_last, data)
        raise AssertionError("beside() raises what keeps the block from its end")

    async def _take_in(self, data: memoryview) -> None:
        if len(data) < EARLY_BYTES:
            # Two threads cost more than they save.
            await self._disk.call(self._write_and_hash, data)
            return
        async with self._disk.beside(self._write, data):
            await trio.to_thread.run_sync(self.hasher.tree.update, data)

    def _write(self, data: memoryview) -> None:
        self._file = self._file or NewFile(self._path)
        self._file.write(data)
        # The sums are taken here, since the tree takes longer.
        self.hasher.pieces.update(data)

    def _write_durably(self, data: memoryview) -> None:
        self._write(data)
        assert self._file is not None, "it was made to be written to"
        self._file.sync()

    def _write_and_hash(self, data: memoryview) -> None:
        self._write(data)
        self.hasher.tree.update(data)

    def _hash_last(self, data: memoryview) -> bytes:
        self.hasher.tree.update(data)
        return self.hasher.tree.id()

    def _finish_small(self, data: memoryview, expected: bytes | None) -> bytes:
        identity = self._hash_last(data)
        if expected in (None, identity):
            self._write_durably(data)
        return identity
