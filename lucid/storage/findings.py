"""What a chunk's file is found to be, whatever others put in its place: read part by part, and never waited for."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import stat
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

from lucid.chain.chunks import MAX_CHUNK_BYTES
from lucid.storage.hashcache import HashCache
from lucid.storage.piecesums import PIECE_BYTES, SummingHasher, has_sum

READ_BYTES = 1 << 20
"""At a time, which a disk is asked for at once."""
ROTTEN = (errno.EIO, errno.EUCLEAN, errno.EBADMSG, errno.ENXIO, errno.EISDIR, errno.ELOOP)
"""What the operating system says of a file whose bytes cannot be had from its disk any more."""


class Finding(IntEnum):
    """What a chunk's file was found to be."""

    SOUND = 0
    MISSING = 1
    CORRUPTED = 2


def look_at(path: Path, chunk: bytes, sums: HashCache | None = None) -> tuple[Finding, int]:
    """Read a chunk's file from its disk, past what memory has of it; returns what it is and the bytes that were read.
    The sums of its pieces come from `sums`, or are put there. Raises OSError where the file cannot be read for a reason
    that is not its own."""
    try:
        descriptor = _opened(path)
    except FileNotFoundError:
        return Finding.MISSING, 0
    except OSError as error:
        if error.errno in ROTTEN:
            return Finding.CORRUPTED, 0
        raise
    reading = FileReading(descriptor)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return Finding.CORRUPTED, 0  # a pipe, say
        known = None if sums is None else sums.get(chunk)
        # What does not have the sums is judged by its tree, and read anew for it.
        sound = (known is not None and reading.has_sums(*known)) or reading.has_tree(chunk, sums)
    except OSError as error:
        if error.errno in ROTTEN:
            return Finding.CORRUPTED, reading.size
        raise
    finally:
        os.close(descriptor)
    return Finding.SOUND if sound else Finding.CORRUPTED, reading.size


def _opened(path: Path) -> int:
    """The file, to be read from its disk where its file system knows how to."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        return os.open(path, flags | os.O_DIRECT)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return os.open(path, flags)


class FileReading:
    """A chunk's file that is read from its disk. `size` counts the bytes that were read."""

    def __init__(self, descriptor: int) -> None:
        self.size = 0
        self._descriptor = descriptor

    def has_sums(self, size: int, sums: bytes) -> bool:
        """Whether its pieces have these sums. Raises OSError."""
        for number, piece in enumerate(self._pieces()):
            if not has_sum(piece, number, sums):
                return False
        return self.size == size

    def has_tree(self, chunk: bytes, sums: HashCache | None) -> bool:
        """Whether the root of its tree is the id; then `sums` gets the sums of its pieces. Raises OSError."""
        hasher = SummingHasher()
        for piece in self._pieces():
            hasher.update(piece)
        sound = 0 < self.size <= MAX_CHUNK_BYTES and hasher.tree.id() == chunk
        if sound and sums is not None:
            sums.keep(chunk, self.size, hasher.sums())
        return sound

    def _pieces(self) -> Iterator[memoryview]:
        """What is in the file, up to more than a chunk may have. Each piece is good until the next one is asked for."""
        self.size, length = 0, os.fstat(self._descriptor).st_size
        # Memory of its own, since that begins where a disk can write to.
        with memoryview(mmap.mmap(-1, READ_BYTES)) as buffer:
            while self.size < length and self.size <= MAX_CHUNK_BYTES and (count := self._read_into(buffer)):
                for first in range(0, count, PIECE_BYTES):
                    piece = buffer[first : min(count, first + PIECE_BYTES)]
                    self.size += len(piece)
                    yield piece

    def _read_into(self, buffer: memoryview) -> int:
        """The next bytes; returns how many."""
        try:
            return os.preadv(self._descriptor, [buffer], self.size)
        except OSError as error:
            flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL)
            if error.errno != errno.EINVAL or not flags & os.O_DIRECT:
                raise
        # It cannot be read from there past the memory, so memory lets go of it before and after.
        fcntl.fcntl(self._descriptor, fcntl.F_SETFL, flags & ~os.O_DIRECT)
        os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        return os.preadv(self._descriptor, [buffer], self.size)
