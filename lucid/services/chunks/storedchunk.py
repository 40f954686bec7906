"""A stored chunk's file, opened and verified, to be read part by part."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar
from weakref import finalize

from lucid.chain.chunks import MAX_CHUNK_BYTES, ChunkHasher
from lucid.chain.errors import Code, LucidError
from lucid.services.chunks.faults import ROTTEN
from lucid.services.process.disk import DiskFailed

PART_BYTES = 256 << 10
"""How much of a chunk is in memory for each who reads it."""

T = TypeVar("T")


class ChunkDamaged(LucidError):
    """A stored chunk does not have its id any more."""

    def __init__(self) -> None:
        super().__init__(Code.CHUNK_CORRUPT)


class SegmentOfChunk(NamedTuple):
    """A segment of a chunk: the chunk's size, the segment's number, its bytes and its path to the chunk's id."""

    size: int
    number: int
    data: bytes
    path: tuple[bytes, ...]


class StoredChunk:
    """A chunk's open file, whose bytes were verified: what is read again must be the same, part by part.

    So one who reads slowly holds a part of it in memory and not the whole.
    """

    def __init__(self, path: Path, chunk: bytes) -> None:
        """Read it once. Raises `ChunkDamaged` and OSError."""
        # What others put in its place is not waited for, as a pipe would be, and not followed.
        self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        # An answer may be dropped before its first part is asked for, and while a thread hangs in it.
        finalize(self, os.close, self._file)
        if not stat.S_ISREG(os.fstat(self._file).st_mode):
            raise ChunkDamaged
        hasher, self._digests = ChunkHasher(), list[bytes]()
        while part := os.read(self._file, PART_BYTES):
            hasher.update(part)
            self._digests.append(_digest(part))
            if hasher.size > MAX_CHUNK_BYTES:
                break
        self.size = hasher.size
        if hasher.id() != chunk:
            raise ChunkDamaged

    def read(self, first: int, end: int) -> bytes:
        """The bytes from `first` to before `end`. Raises `ChunkDamaged` and OSError."""
        low, high = first // PART_BYTES, -(-end // PART_BYTES)
        data = b"".join(self._part(number) for number in range(low, high))
        return data[first - low * PART_BYTES : end - low * PART_BYTES]

    def _part(self, number: int) -> bytes:
        part = os.pread(self._file, PART_BYTES, number * PART_BYTES)
        if _digest(part) != self._digests[number]:
            raise ChunkDamaged
        return part


def readable(read: Callable[..., T], *arguments: object) -> T:
    """What `read` finds in a chunk's file. Raises `ChunkDamaged`, and `DiskFailed` where it is not the file's fault."""
    try:
        return read(*arguments)
    except OSError as error:
        if error.errno in (errno.ENOENT, *ROTTEN):
            raise ChunkDamaged from None
        raise DiskFailed(f"a chunk cannot be read: {error}") from None


def _digest(part: bytes) -> bytes:
    return hashlib.blake2b(part, digest_size=16).digest()
