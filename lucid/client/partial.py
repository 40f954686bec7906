"""The chunks of a session that came so far, in one file beside what will be made of them.

The file is the session's chunks in order, encrypted as nodes store them. Nothing beside it says which are there: what
has its chunk's id is, whatever wrote it and whatever cut it off.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Self

from lucid.chain.chunks import chunk_id
from lucid.chain.manifests import Manifest
from lucid.client.errors import BundleError


class PartialFile:
    """A context manager; the file goes when it is closed, unless something is `kept` that is worth going on with."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        """Open it, or make it. Raises `BundleError` where another process is at it, and OSError."""
        self.path = path
        self.kept = False
        self.held: set[int] = set()
        """The chunks that are there, by their places."""
        self._chunks = [(bytes.fromhex(chunk.id), chunk.size) for chunk in manifest.chunks]
        self._places = list(accumulate((size for _, size in self._chunks), initial=0))
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EISDIR):
                raise BundleError(f"{path} is not a file of lucid fetch") from None
            raise
        try:
            if not stat.S_ISREG(os.fstat(self._file).st_mode):
                raise BundleError(f"{path} is not a file of lucid fetch")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise BundleError(f"another lucid fetch is at {path}") from None
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.kept:
            self.path.unlink(missing_ok=True)
        os.close(self._file)

    def look(self, progress: Callable[[int], None]) -> None:
        """Verify what is there; tells the bytes of each chunk that is."""
        end = os.fstat(self._file).st_size
        for place, (identity, size) in enumerate(self._chunks):
            if self._places[place + 1] <= end and chunk_id(self._bytes(place)) == identity:
                self.held.add(place)
                progress(size)

    def write(self, place: int, data: bytes) -> None:
        """Take a chunk in, whose bytes were verified. From several threads."""
        view, at = memoryview(data), self._places[place]
        while view:
            written = os.pwrite(self._file, view, at)
            view, at = view[written:], at + written
        self.held.add(place)

    def read(self, place: int) -> bytes:
        """A chunk's bytes, verified once more: they were on a disk. Raises `BundleError`."""
        data = self._bytes(place)
        if chunk_id(data) != self._chunks[place][0]:
            raise BundleError(f"{self.path} changed while it was read")
        return data

    def _bytes(self, place: int) -> bytes:
        return os.pread(self._file, self._chunks[place][1], self._places[place])
