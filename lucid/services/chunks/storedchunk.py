"""A stored chunk's file, opened and verified, to be read part by part."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar
from weakref import finalize

from lucid.chain.chunks import MAX_CHUNK_BYTES, SEGMENT_BYTES, ChunkHasher, proof_of_leaves, verify_segments
from lucid.chain.errors import Code, LucidError
from lucid.services.process.disk import DiskFailed
from lucid.storage.findings import ROTTEN

PART_BYTES = 256 << 10
"""How much of a chunk is in memory for each who reads it."""

PART_SEGMENTS = PART_BYTES // SEGMENT_BYTES
MAX_TREE_BYTES = 4 << 20
"""Of hashes of segments in memory: those of half a gigabyte of chunks."""

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


class Trees:
    """The hashes of the segments of chunks that were verified lately, by which parts of them are verified alone.

    Of `MAX_TREE_BYTES` in all; those that were not asked for longest go first. Used from any thread.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, tuple[int, bytes]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, chunk: bytes) -> tuple[int, bytes] | None:
        """A chunk's size and the hashes of its segments, if they are still here."""
        with self._lock:
            found = self._kept.get(chunk)
            if found is not None:
                self._kept.move_to_end(chunk)
            return found

    def keep(self, chunk: bytes, size: int, leaves: bytes) -> None:
        """Keep what was verified: the root over the hashes is the chunk's id."""
        with self._lock:
            if chunk not in self._kept:
                self._bytes += len(leaves)
                self._kept[chunk] = size, leaves
            while self._bytes > MAX_TREE_BYTES:
                _, (_, gone) = self._kept.popitem(last=False)
                self._bytes -= len(gone)


class StoredChunk:
    """A chunk's open file. Each part that is read is verified, segment by segment, by hashes whose root is the id.

    So one who reads slowly holds a part of it in memory and not the whole.
    """

    def __init__(self, path: Path, chunk: bytes, trees: Trees, warm: bool = False) -> None:
        """Read it once, all of it; with `warm` not at all where its hashes are known: what is wrong with its bytes is
        found as they are read then. Raises `ChunkDamaged` and OSError."""
        self.chunk = chunk
        # What others put in its place is not waited for, as a pipe would be, and not followed.
        self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        # An answer may be dropped before its first part is asked for, and while a thread hangs in it.
        finalize(self, os.close, self._file)
        if not stat.S_ISREG(os.fstat(self._file).st_mode):
            raise ChunkDamaged
        known = trees.get(chunk) if warm else None
        if known is None:
            known = self._verified(chunk)
            trees.keep(chunk, *known)
        self.size, self._leaves = known

    def _verified(self, chunk: bytes) -> tuple[int, bytes]:
        hasher = ChunkHasher()
        while part := os.read(self._file, PART_BYTES):
            hasher.update(part)
            if hasher.size > MAX_CHUNK_BYTES:
                break
        if hasher.id() != chunk:
            raise ChunkDamaged
        return hasher.size, hasher.leaves()

    def prove(self, number: int) -> SegmentOfChunk:
        """A segment and its path to the chunk's id. Raises `ChunkDamaged` and OSError, and IndexError."""
        path = proof_of_leaves(self._leaves, number)
        first = number * SEGMENT_BYTES
        return SegmentOfChunk(self.size, number, self.read(first, min(self.size, first + SEGMENT_BYTES)), path)

    def read(self, first: int, end: int) -> bytes:
        """The bytes from `first` to before `end`. Raises `ChunkDamaged` and OSError."""
        low, high = first // PART_BYTES, -(-end // PART_BYTES)
        data = b"".join(self._part(number) for number in range(low, high))
        return data[first - low * PART_BYTES : end - low * PART_BYTES]

    def _part(self, number: int) -> bytes:
        first = number * PART_BYTES
        part = os.pread(self._file, min(PART_BYTES, self.size - first), first)
        whole = len(part) == min(PART_BYTES, self.size - first)
        if not whole or not verify_segments(part, number * PART_SEGMENTS, self._leaves):
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
