"""A chunk being stored: hashed and written in a worker thread, up to 1 MiB at a time."""

from __future__ import annotations

from pathlib import Path

from lucid.services.process.disk import Disk, NewFile
from lucid.storage.piecesums import SummingHasher

GATHERED_BYTES = 1 << 20
"""What is gathered in memory before it goes to a thread: to hand over each 64 KiB, as HTTP brings them, takes as long
as to hash and write them."""


class Upload:
    """One chunk's bytes, in order. `size` counts those that were added, `hasher` knows them once all are `durable`."""

    def __init__(self, disk: Disk, path: Path, gathered: int = GATHERED_BYTES) -> None:
        """Into a new file. Gather up to so many bytes, which the caller has room for."""
        self.hasher = SummingHasher()
        self.size = 0
        self._disk = disk
        self._path = path
        self._file: NewFile | None = None
        self._most = gathered
        self._held: list[bytes] = []
        self._held_bytes = 0

    async def add(self, part: bytes) -> None:
        """Take the next bytes. Raises `DiskSlow` and OSError."""
        self.size += len(part)
        self._held.append(part)
        self._held_bytes += len(part)
        if self._held_bytes >= self._most:
            held, self._held, self._held_bytes = self._held, [], 0
            await self._disk.call(self._take_in, held)

    async def durable(self, expected: bytes | None) -> bytes:
        """Write what was added, durably unless another id than this one is expected; returns the chunk's id. Raises
        `DiskSlow` and OSError."""
        held, self._held, self._held_bytes = self._held, [], 0
        return await self._disk.call(self._finish, held, expected)

    def _take_in(self, parts: list[bytes]) -> NewFile:
        file = self._file = self._file or NewFile(self._path)
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        file.write(data)
        self.hasher.update(data)
        return file

    def _finish(self, parts: list[bytes], expected: bytes | None) -> bytes:
        file = self._take_in(parts)
        identity = self.hasher.tree.id()
        if expected in (None, identity):
            file.sync()
        return identity
