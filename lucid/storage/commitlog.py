"""A commit log: a file of a fixed size that takes a commit by writing one page and waiting for the disk.

The first page has the log's identity. Records follow, from the second page on: each has a mark, a checksum that covers
all of it and the identity, its length and its number, which is one more than that of the record before. A record that
fits into what is left of a page stands there, any other begins a page, so that a small commit never costs two. The log
is filled again from its second page once what it holds is safe elsewhere; what is left of before has smaller numbers.
"""

from __future__ import annotations

import fcntl
import os
import struct
import zlib
from pathlib import Path
from typing import Protocol

PAGE_BYTES = 4_096
"""What a disk writes at least: the kernel keeps and writes files by pages of this size."""
LOG_BYTES = 128 * PAGE_BYTES
IDENTITY_BYTES = 16
MAX_RECORD_BYTES = LOG_BYTES // 8
"""What is larger gains nothing by a log."""

_TITLE = b"lucid commit log 1\n"
_MARK = b"\xd1LR\x1a"
_HEAD = struct.Struct(">4sIIQ")


class LogDamaged(Exception):
    """Something that was durable is not there any more; one sentence."""


class File(Protocol):
    """What a commit log is kept in. Every method raises `OSError`."""

    def read(self) -> bytes:
        """All of it."""
        ...

    def write(self, offset: int, data: bytes) -> None:
        """Put bytes at a place, durable after `sync` only."""
        ...

    def sync(self) -> None:
        """Make durable what was written."""
        ...

    def clear(self) -> None:
        """Make it empty."""
        ...

    def forget(self) -> None:
        """Keep none of it in memory."""
        ...


class LogFile:
    """A `File` on a disk."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it, durably. Raises `OSError`."""
        there = path.exists()
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not there:
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def lock(self) -> bool:
        """Whether the file is this opener's alone from now on, until it is closed."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def read(self) -> bytes:
        """See `File`."""
        parts, offset = list[bytes](), 0
        while offset < LOG_BYTES and (part := os.pread(self._descriptor, LOG_BYTES - offset, offset)):
            parts.append(part)
            offset += len(part)
        return b"".join(parts)

    def write(self, offset: int, data: bytes) -> None:
        """See `File`."""
        left = memoryview(data)
        while left:
            count = os.pwrite(self._descriptor, left, offset)
            left, offset = left[count:], offset + count

    def sync(self) -> None:
        """See `File`. The file's size is settled, so that its data is all there is to wait for."""
        getattr(os, "fdatasync", os.fsync)(self._descriptor)

    def clear(self) -> None:
        """See `File`."""
        os.ftruncate(self._descriptor, 0)

    def forget(self) -> None:
        """See `File`. Linux may keep what was read or written at once as one piece, and then writes that as a whole
        however little of it has changed."""
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def close(self) -> None:
        """Let go of the file and its lock."""
        os.close(self._descriptor)


class CommitLog:
    """One log in its file: `begin` it or `load` it, then `append`."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._identity = b""
        self._page = b""
        """What the page that the next record may go on with holds."""
        self._at = PAGE_BYTES
        """Where that page begins."""
        self._unsure = False
        """Whether that page may hold a record on the disk that counts for nothing."""
        self.number = 0
        """Number of the last record, or of what was made durable elsewhere since."""

    def begin(self, identity: bytes) -> None:
        """Make an empty log, durably. Raises `OSError` and may leave an unfinished one then."""
        assert len(identity) == IDENTITY_BYTES
        self._file.write(0, _first_page(identity) + bytes(LOG_BYTES - PAGE_BYTES))
        self._file.sync()
        self._file.forget()
        self._identity = identity
        self.number = 0
        self.restart()

    def load(self, identity: bytes, applied: int) -> list[bytes]:
        """The records after the one numbered `applied`, in order; the next one is appended after them.

        Raises `LogDamaged` and `OSError`."""
        records, self._at, self._page = read_log(self._file.read(), identity, applied)
        self._file.forget()
        self._identity = identity
        self.number = applied + len(records)
        if not records:
            self.restart()
        return records

    def takes(self, data: bytes) -> bool:
        """Whether there is room for a record."""
        return self._place(data)[0] + _HEAD.size + len(data) <= LOG_BYTES

    def append(self, data: bytes) -> None:
        """Add a record, durably. Raises `OSError`; the same or another record may be tried again then."""
        assert self.takes(data)
        record = _record(self._identity, self.number + 1, data)
        start, held = self._place(data)
        first = start - len(held)
        if self._unsure and first > self._at:
            first, held = self._at, self._page.ljust(PAGE_BYTES, b"\x00")
        text = held + record
        self._unsure = True
        # Whole pages, those of earlier records too: after a sync that failed nobody knows what is on the disk.
        self._file.write(first, text + bytes(-len(text) % PAGE_BYTES))
        self._file.sync()
        self._unsure = False
        full = len(text) // PAGE_BYTES * PAGE_BYTES
        self._at, self._page = first + full, text[full:]
        self.number += 1

    def applied(self, skipped: int) -> int:
        """What to write down with a commit that makes all of the log, and as many commits more, durable elsewhere.

        The number of a record that failed, and may be whole on the disk, is used up too: found behind a torn one that
        had the same number, it would look like an acknowledged one that nothing leads to."""
        return self.number + skipped + self._unsure

    def restart(self, skipped: int = 0) -> None:
        """Fill the log from its beginning again, once `applied` is written down."""
        self.number = self.applied(skipped)
        self._at, self._page, self._unsure = PAGE_BYTES, b"", False

    def _place(self, data: bytes) -> tuple[int, bytes]:
        """Where a record would begin, and what its page holds before it."""
        if not self._page or len(self._page) + _HEAD.size + len(data) <= PAGE_BYTES:
            return self._at + len(self._page), self._page
        return self._at + PAGE_BYTES, b""


def read_log(text: bytes, identity: bytes, applied: int) -> tuple[list[bytes], int, bytes]:
    """The records after number `applied` of a log that has these bytes, and where the next one belongs: the beginning
    of a page, and what that page holds. Raises `LogDamaged`."""
    if len(text) < LOG_BYTES:
        raise LogDamaged("it is gone" if not text else "it is cut short")
    if text[:PAGE_BYTES] != _first_page(identity):
        raise LogDamaged("it is that of another store, or its first page is damaged")
    records: list[bytes] = []
    offset, number = PAGE_BYTES, None
    while (found := _next(text, identity, offset, number)) is not None:
        offset, number, data = found
        if number > applied + len(records) + 1:
            raise LogDamaged(f"the commits from {applied + 1} to {number - 1} are missing")
        if number > applied:
            records.append(data)
    last = applied + len(records)
    _check_end(text, identity, last)
    start = offset - offset % PAGE_BYTES
    return records, start, text[start:offset]


def _next(text: bytes, identity: bytes, offset: int, before: int | None) -> tuple[int, int, bytes] | None:
    """The end, number and data of the record that follows at `offset`, or at the next page's beginning."""
    for start in (offset, offset + -offset % PAGE_BYTES):
        found = _record_at(text, identity, start)
        if found is not None and (before is None or found[1] == before + 1):
            return found
    return None


def _record_at(text: bytes, identity: bytes, start: int) -> tuple[int, int, bytes] | None:
    if start + _HEAD.size > len(text):
        return None
    mark, checksum, length, number = _HEAD.unpack_from(text, start)
    end = start + _HEAD.size + length
    if mark != _MARK or end > len(text):
        return None
    data = text[start + _HEAD.size : end]
    return (end, number, data) if _checksum(identity, number, data) == checksum else None


def _check_end(text: bytes, identity: bytes, last: int) -> None:
    """A record that is whole, behind one that is not: that one was durable. Only the last may be torn."""
    start = text.find(_MARK, PAGE_BYTES)
    while start >= 0:
        found = _record_at(text, identity, start)
        if found is not None and found[1] > last:
            raise LogDamaged(f"the commits from {last + 1} to {found[1] - 1} cannot be read")
        start = text.find(_MARK, start + 1)


def _first_page(identity: bytes) -> bytes:
    return (_TITLE + identity).ljust(PAGE_BYTES, b"\x00")


def _record(identity: bytes, number: int, data: bytes) -> bytes:
    return _HEAD.pack(_MARK, _checksum(identity, number, data), len(data), number) + data


def _checksum(identity: bytes, number: int, data: bytes) -> int:
    return zlib.crc32(data, zlib.crc32(identity + number.to_bytes(8, "big") + len(data).to_bytes(4, "big")))
