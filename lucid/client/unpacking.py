"""A session's plaintext read again: its index, and then its files as they come."""

from __future__ import annotations

import filecmp
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from lucid.chain.errors import Code, Refusal
from lucid.chain.strictjson import parse_object
from lucid.client.bundle import LENGTH_BYTES, MAX_INDEX_BYTES, BundleIndex
from lucid.client.errors import BundleError, NameTaken
from lucid.client.names import check_names, written_names


class Unpacker:
    """Writes a stream's files into a folder as it comes; nothing is left there unless all are whole.

    A context manager; `finish` gives the files their names. Never writes over a file, nor through a link.
    """

    def __init__(self, folder: Path, room: int, hidden: bool = False, parts: str = "", resumed: bool = False) -> None:
        """`room` is how many bytes of plaintext the session has; `hidden` keeps names that begin with a dot. `parts` is
        what the folder of unfinished files is called, in which nobody else writes: what one who was killed left of it
        goes. With `resumed`, files that are there and have the bytes of their names are those that he had finished.
        """
        self.index: BundleIndex | None = None
        self._folder = folder
        self._room = room
        self._hidden = hidden
        self._parts_name = parts
        self._resumed = resumed
        self._names: list[str] = []
        self._head = bytearray()
        self._file: BinaryIO | None = None
        self._begun = 0
        self._left = 0
        self._made: list[Path] = []

    def __enter__(self) -> Self:
        if self._parts_name:
            self._parts = self._folder / self._parts_name
            shutil.rmtree(self._parts, ignore_errors=True)
            self._parts.mkdir(mode=0o700)
        else:
            self._parts = Path(tempfile.mkdtemp(prefix=".lucid-", dir=self._folder))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        shutil.rmtree(self._parts, ignore_errors=True)
        for path in reversed(self._made if error is not None else ()):
            with suppress(OSError):
                path.rmdir() if stat.S_ISDIR(path.lstat().st_mode) else path.unlink()

    def feed(self, data: bytes) -> None:
        """The next bytes of the stream; raises `BundleError`."""
        if self.index is None:
            self._head += data
            data = self._begin()
        while data and self._next():
            part, data = data[: self._left], data[self._left :]
            assert self._file is not None
            self._file.write(part)
            self._left -= len(part)
        if data.strip(b"\0"):
            raise BundleError("the session's bytes go on after its files")

    def finish(self) -> list[Path]:
        """Name the files; returns them. Raises `BundleError` if some bytes did not come, or a name is taken."""
        if self.index is None or self._next():
            raise BundleError("the session's bytes end too early")
        self._close()
        paths = []
        for number, name in enumerate(self._names):
            path = self._place(name)
            self._name(self._parts / str(number), path)
            paths.append(path)
        return paths

    def _name(self, part: Path, path: Path) -> None:
        """Give a file its name, in one step where the file system has links. Raises `NameTaken` and OSError."""
        try:
            try:
                os.link(part, path)
            except FileExistsError:
                raise
            except OSError:  # there are no links here
                path.open("xb").close()
                os.replace(part, path)
        except FileExistsError:
            if not (self._resumed and _same(part, path)):
                raise NameTaken(f"{path} exists already") from None
        else:
            self._made.append(path)

    def _place(self, name: str) -> Path:
        """Where a file goes, in folders that are there then."""
        *folders, last = name.split("/")
        path = self._folder
        for each in folders:
            path /= each
            try:
                path.mkdir()
                self._made.append(path)
            except FileExistsError:
                if not stat.S_ISDIR(path.lstat().st_mode):
                    raise NameTaken(f"{path} exists already and is not a folder") from None
        return path / last

    def _begin(self) -> bytes:
        """Read the index, when all of it has come; returns the bytes after it."""
        if len(self._head) < LENGTH_BYTES:
            return b""
        end = LENGTH_BYTES + int.from_bytes(self._head[:LENGTH_BYTES], "big")
        if end > MAX_INDEX_BYTES + LENGTH_BYTES:
            raise BundleError("the session's index is too large: these are not files that lucid anchored")
        if len(self._head) < end:
            return b""
        try:
            fields = parse_object(bytes(self._head[LENGTH_BYTES:end]), MAX_INDEX_BYTES, Code.REQUEST)
            self.index = msgspec.convert(fields, BundleIndex)
        except (Refusal, msgspec.ValidationError) as error:
            detail = error.detail if isinstance(error, Refusal) else str(error)
            raise BundleError(f"the session's index cannot be read: {detail}") from None
        if end + sum(entry.size for entry in self.index.files) > self._room:
            raise BundleError("the session's index speaks of more bytes than the session has")
        names = [entry.name for entry in self.index.files]
        check_names(names)
        self._names = written_names(names, self._hidden)
        for name, entry in zip(self._names, self.index.files, strict=True):
            path = self._folder / name
            if os.path.lexists(path) and not (self._resumed and path.lstat().st_size == entry.size):
                raise NameTaken(f"{path} exists already")
        return bytes(self._head[end:])

    def _next(self) -> bool:
        """Open the next file when the one before is whole; says whether there is one that wants bytes."""
        assert self.index is not None
        while not self._left:
            self._close()
            if self._begun == len(self.index.files):
                return False
            self._file = (self._parts / str(self._begun)).open("xb")
            self._left = self.index.files[self._begun].size
            self._begun += 1
        return True

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _same(part: Path, path: Path) -> bool:
    """Whether what has the name is a file with these bytes."""
    return stat.S_ISREG(path.lstat().st_mode) and filecmp.cmp(part, path, shallow=False)
