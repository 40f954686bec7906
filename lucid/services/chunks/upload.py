"""A chunk being stored: hashed and written in a worker thread, up to 512 KiB at a time."""

from __future__ import annotations

from pathlib import Path

from lucid.chain.chunks import ChunkHasher
from lucid.services.process.disk import Disk, NewFile

GATHERED_BYTES = 512 << 10
"""What is gathered in memory before it goes to a thread: to hand over each 64 KiB, as HTTP brings them, takes as long
as to hash and write them."""


class Upload:
    """One chunk's bytes, in order. `size` counts those that were added, `hasher` knows them once all are `written`."""

    def __init__(self, disk: Disk, gathered: int = GATHERED_BYTES) -> None:
        """Gather up to so many bytes, which the caller has room for."""
        self.hasher = ChunkHasher()
        self.size = 0
        self._disk = disk
        self._file: NewFile | None = None
        self._most = gathered
        self._held: list[bytes] = []
        self._held_bytes = 0

    async def begin(self, path: Path) -> None:
        """Make the file. Raises `DiskSlow` and OSError."""
        self._file = await self._disk.call(NewFile, path)

    async def add(self, part: bytes) -> None:
        """Take the next bytes. Raises `DiskSlow` and OSError."""
        self.size += len(part)
        self._held.append(part)
        self._held_bytes += len(part)
        if self._held_bytes >= self._most:
            held, self._held, self._held_bytes = self._held, [], 0
            await self._disk.call(self._take_in, held)

    async def written(self) -> bytes:
        """Write what was added; returns the chunk's id. Raises `DiskSlow` and OSError."""
        held, self._held, self._held_bytes = self._held, [], 0
        return await self._disk.call(self._finish, held)

    async def synced(self) -> None:
        """All that was written is durable. Raises `DiskSlow` and OSError."""
        assert self._file is not None and not self._held, "it was begun, and all of it is written"
        await self._disk.call(self._file.sync)

    def _take_in(self, parts: list[bytes]) -> None:
        assert self._file is not None, "it was begun"
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        self._file.write(data)
        self.hasher.update(data)

    def _finish(self, parts: list[bytes]) -> bytes:
        self._take_in(parts)
        return self.hasher.id()
