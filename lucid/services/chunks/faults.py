"""Chunks that a node should hold and does not: their files are gone, or do not have the bytes of their ids."""

from __future__ import annotations

import errno
import os
import stat
from enum import IntEnum
from itertools import takewhile
from pathlib import Path

from lucid.chain.chunks import MAX_CHUNK_BYTES, ChunkHasher
from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import LucidError
from lucid.chain.genesis import Natural
from lucid.ledger.state import Write
from lucid.storage.durable import DurableStore
from lucid.storage.interface import StoreDamaged

FAULT_TABLE = "fault"
PART_BYTES = 256 << 10
ROTTEN = (errno.EIO, errno.EUCLEAN, errno.EBADMSG, errno.ENXIO, errno.EISDIR, errno.ELOOP)
"""What the operating system says of a file whose bytes cannot be had from its disk any more."""


class Finding(IntEnum):
    """What a chunk's file was found to be."""

    SOUND = 0
    MISSING = 1
    CORRUPTED = 2


class ChunkFault(Record):
    """A chunk's row among the faults: what was found (`Finding`), and when (ms since the Unix epoch)."""

    finding: Natural
    since_ms: Natural


class Faults:
    """The chunks of one node that are missing or corrupted. Its rows are written with those of the chunks."""

    def __init__(self, store: DurableStore) -> None:
        self._store = store
        self.counts = {Finding.MISSING: 0, Finding.CORRUPTED: 0}

    def survey(self) -> None:
        """Count them, before anything else is done. Raises `StoreDamaged`."""
        for chunk, data in self._store.scan(FAULT_TABLE):
            self.counts[Finding(_decoded(chunk, data).finding)] += 1

    def of(self, chunk: bytes) -> ChunkFault | None:
        """A chunk's fault, from a worker thread. Raises `StoreError`."""
        data = self._store.get(FAULT_TABLE, chunk)
        return None if data is None else _decoded(chunk, data)

    def page(self, after: bytes, limit: int) -> list[tuple[bytes, ChunkFault]]:
        """At most `limit` chunks with faults in order, above `after`, from a worker thread. Raises `StoreError`."""
        start = after + b"\x00" if after else b""
        return [(chunk, _decoded(chunk, data)) for chunk, data in self._store.scan(FAULT_TABLE, start, limit)]

    def between(self, first: bytes, last: bytes) -> set[bytes]:
        """The chunks with faults from the first one to the last one, from a worker thread. Raises `StoreError`."""
        rows = self._store.scan(FAULT_TABLE, first)
        return {chunk for chunk, _ in takewhile(lambda row: row[0] <= last, rows)}

    def change(self, chunk: bytes, before: ChunkFault | None, finding: Finding, now_ms: int) -> list[Write]:
        """What is to be written for a chunk to have another finding than `before`; counts it."""
        if before is not None:
            self.counts[Finding(before.finding)] -= 1
        if finding is Finding.SOUND:
            return [] if before is None else [(FAULT_TABLE, chunk, None)]
        self.counts[finding] += 1
        since_ms = before.since_ms if before is not None and before.finding == finding else now_ms
        return [(FAULT_TABLE, chunk, encode(ChunkFault(int(finding), since_ms)))]


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


def _decoded(chunk: bytes, data: bytes) -> ChunkFault:
    try:
        fault = decode(data, ChunkFault)
        Finding(fault.finding)
    except (LucidError, ValueError) as error:
        raise StoreDamaged(f"a row cannot be read: {error}", FAULT_TABLE, chunk) from None
    return fault
