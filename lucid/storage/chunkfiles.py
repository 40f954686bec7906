"""A folder of chunk files, each named by its chunk's id."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from lucid.storage.files import sync

INCOMING = "incoming"
QUARANTINE = "quarantine"
MARK = "mark"
_ID = re.compile(r"[0-9a-f]{64}")
_UPLOAD = re.compile(r"[0-9a-f]{32}")
_SHELF = re.compile(r"[0-9a-f]{2}")


class ChunkFolder:
    """Files `XX/ID`, uploads under way in `incoming`, `quarantine`, `mark`. Whatever else is there stays as it is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lasting = False
        """Whether the shelves below it are known to be there after a power cut."""
        self.incoming = path / INCOMING
        self.mark = path / MARK

    def place(self, chunk: bytes) -> Path:
        """Where a chunk's file is."""
        name = chunk.hex()
        return self.path / name[:2] / name

    def uploads(self) -> list[Path]:
        """What uploads left that a crash cut off. Raises OSError where the folder cannot be listed."""
        found = self.incoming.iterdir() if self.incoming.is_dir() else ()
        return [path for path in found if _UPLOAD.fullmatch(path.name) and path.is_file()]

    def clear_incoming(self) -> None:
        """Remove what uploads left. Raises OSError where the folder cannot be listed."""
        with suppress(OSError):  # a start on a full disk serves reads
            self.incoming.mkdir(parents=True, exist_ok=True)
        for leftover in self.uploads():
            with suppress(OSError):  # and so does one on a disk that cannot be written
                leftover.unlink()

    def chunks(self) -> Iterator[bytes]:
        """The id of every file that has the name of a chunk, in its place."""
        for path in self._files():
            if _is_chunk(path):
                yield bytes.fromhex(path.name)

    def shelf(self, first: int) -> Iterator[bytes]:
        """The same of the chunks whose ids begin with that byte."""
        folder = self.path / f"{first:02x}"
        if folder.is_dir():
            yield from (bytes.fromhex(path.name) for path in folder.iterdir() if _is_chunk(path))

    def strays(self) -> Iterator[Path]:
        """What is there besides."""
        for path in self._files():
            if not _is_chunk(path):
                yield path

    def _files(self) -> Iterator[Path]:
        if not self.path.is_dir():
            return
        for folder in self.path.iterdir():
            if folder.name in (INCOMING, QUARANTINE, MARK):
                continue
            if _SHELF.fullmatch(folder.name) and folder.is_dir():
                yield from folder.iterdir()
            else:
                yield folder

    def move_in(self, path: Path, chunk: bytes) -> None:
        """Make an uploaded file, which is durable, that of its chunk: durably once it is `settled`. Raises OSError."""
        target = self.place(chunk)
        shelf = target.parent
        if not shelf.is_dir():
            # All at once, since each one by itself costs a wait for the disk.
            for first in range(256):
                (self.path / f"{first:02x}").mkdir(exist_ok=True)
            self._lasting = False
        os.replace(path, target)

    def settle(self, chunk: bytes) -> None:
        """Make the place of a chunk's file durable. Raises OSError."""
        sync(self.place(chunk).parent)
        if not self._lasting:
            self._lasting = True  # what is made meanwhile says otherwise
            try:
                sync(self.path)
            except OSError:
                self._lasting = False
                raise

    def mark_unused(self, chunk: bytes, since_ms: int) -> None:
        """Give a file, as its own, the time since when nobody refers to it, durably. Raises OSError."""
        path = self.place(chunk)
        os.utime(path, ns=(since_ms * 1_000_000,) * 2)
        sync(path)

    def mark_used(self, chunk: bytes) -> None:
        """Give a file another time than the one at which nobody referred to it, durably. Raises OSError."""
        path = self.place(chunk)
        os.utime(path)
        sync(path)

    def unused_since_ms(self, chunk: bytes) -> int | None:
        """The time that a file has as its own; None where there is no file."""
        try:
            return self.place(chunk).stat().st_mtime_ns // 1_000_000
        except FileNotFoundError:
            return None

    def remove(self, chunk: bytes) -> None:
        """Remove a chunk's file."""
        self.place(chunk).unlink(missing_ok=True)

    def quarantine(self, chunk: bytes) -> None:
        """Put a file aside that is not what its name says. Raises OSError."""
        folder = self.path / QUARANTINE
        folder.mkdir(exist_ok=True)
        target, number = folder / chunk.hex(), 0
        while target.exists():
            number += 1
            target = folder / f"{chunk.hex()}.{number}"
        self.place(chunk).rename(target)

    def quarantined(self) -> int:
        """How many files are set aside."""
        folder = self.path / QUARANTINE
        return sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0


def _is_chunk(path: Path) -> bool:
    if not _ID.fullmatch(path.name) or path.parent.name != path.name[:2]:
        return False
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False
