"""What a chunk's file is found to be, whatever others put in its place: read part by part, and never waited for."""

from __future__ import annotations

import errno
import os
import stat
from enum import IntEnum
from pathlib import Path

from lucid.chain.chunks import MAX_CHUNK_BYTES, ChunkHasher

PART_BYTES = 256 << 10
ROTTEN = (errno.EIO, errno.EUCLEAN, errno.EBADMSG, errno.ENXIO, errno.EISDIR, errno.ELOOP)
"""What the operating system says of a file whose bytes cannot be had from its disk any more."""


class Finding(IntEnum):
    """What a chunk's file was found to be."""

    SOUND = 0
    MISSING = 1
    CORRUPTED = 2


def look_at(path: Path, chunk: bytes) -> tuple[Finding, int]:
    """Read a chunk's file from its disk, past what memory has of it; returns what it is and the bytes that were read.
    Raises OSError where the file cannot be read for a reason that is not its own."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return Finding.MISSING, 0
    except OSError as error:
        if error.errno in ROTTEN:
            return Finding.CORRUPTED, 0
        raise
    hasher = ChunkHasher()
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return Finding.CORRUPTED, 0  # a pipe, say
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        while hasher.size <= MAX_CHUNK_BYTES and (part := os.read(descriptor, PART_BYTES)):
            hasher.update(part)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError as error:
        if error.errno in ROTTEN:
            return Finding.CORRUPTED, hasher.size
        raise
    finally:
        os.close(descriptor)
    sound = 0 < hasher.size <= MAX_CHUNK_BYTES and hasher.id() == chunk
    return Finding.SOUND if sound else Finding.CORRUPTED, hasher.size
