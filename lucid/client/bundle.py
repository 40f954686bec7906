"""A session's plaintext: an index of its files and then their bytes, as one stream that is cut into chunks.

The stream is the index's length in 8 big-endian bytes, the index as JSON, the files' bytes in its order, and zeros up
to the smallest chunk.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Annotated, BinaryIO, NamedTuple, Self

import msgspec

from lucid.chain.errors import Code, Refusal
from lucid.chain.strict import MAX_WHOLE, parse_object
from lucid.client.errors import BundleError
from lucid.client.names import check_names, written_names

LENGTH_BYTES = 8
MAX_INDEX_BYTES = 4 << 20
READ_BYTES = 1 << 20


class NameTaken(BundleError):
    """A file of a session cannot be written where another one is."""


class FileEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file: its name, folders divided by `/`, and its bytes."""

    name: str
    size: Annotated[int, msgspec.Meta(ge=0, le=MAX_WHOLE)]


class BundleIndex(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All files of a session."""

    files: tuple[FileEntry, ...]


class BundleSource(NamedTuple):
    """A file on disk that goes into a session under a name."""

    path: Path
    entry: FileEntry
    modified_ns: int


def sources(paths: Sequence[Path]) -> list[BundleSource]:
    """The files of some paths, those in folders under the folder's name, in order. Links in folders are left out.

    Raises `BundleError` for a path that is neither, a name that cannot be, and where there is no file at all.
    """
    found: list[BundleSource] = []
    for path in paths:
        if path.is_dir():
            name = path.resolve().name or "root"
            inside = [each for each in _below(path) if _is_taken(each)]
            found += [_source(each, f"{name}/{each.relative_to(path).as_posix()}") for each in inside]
        elif path.is_file():
            found.append(_source(path, path.name))
        else:
            raise BundleError(f"{path} is not a file")
    if not found:
        raise BundleError("there is no file to anchor")
    names = [each.entry.name for each in found]
    for name in names if len(set(names)) < len(names) else ():
        if names.count(name) > 1:
            raise BundleError(f"two files are named {name}")
    check_names(names)
    return found


def left_out(paths: Sequence[Path]) -> list[Path]:
    """What `sources` leaves out of folders: links, and what is neither a file nor a folder."""
    return [each for folder in paths if folder.is_dir() for each in _below(folder) if not _is_taken(each)]


def _below(folder: Path) -> Iterator[Path]:
    """All that is in a folder and the folders in it, in order; a link to a folder is none."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield from _below(path)
        else:
            yield path


def _is_taken(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _source(path: Path, name: str) -> BundleSource:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise BundleError(f"the name of {os.fsencode(path)!r} is not UTF-8") from None
    found = path.stat()
    return BundleSource(path, FileEntry(name, found.st_size), found.st_mtime_ns)


def index_of(files: Sequence[BundleSource]) -> BundleIndex:
    """The index of some files."""
    return BundleIndex(tuple([each.entry for each in files]))


def bundle_bytes(index: BundleIndex) -> int:
    """Bytes of the stream, without what fills it up."""
    return LENGTH_BYTES + len(msgspec.json.encode(index)) + sum(entry.size for entry in index.files)


def pack(files: Sequence[BundleSource], size: int, least: int) -> Iterator[tuple[bytes, bool]]:
    """The stream in pieces of `size` bytes, the last one shorter but no shorter than `least`; each with whether it is
    the last. Raises `BundleError` when a file changes meanwhile."""
    held = bytearray()
    for part in _parts(files):
        held += part
        while len(held) > size:
            yield bytes(held[:size]), False
            del held[:size]
    yield bytes(held).ljust(least, b"\0"), True


def _parts(files: Sequence[BundleSource]) -> Iterator[bytes]:
    encoded = msgspec.json.encode(index_of(files))
    if len(encoded) > MAX_INDEX_BYTES:
        raise BundleError("there are too many files")
    yield len(encoded).to_bytes(LENGTH_BYTES, "big") + encoded
    for path, entry, _ in files:
        left = entry.size
        with path.open("rb") as file:
            while part := file.read(READ_BYTES):
                left -= len(part)
                if left < 0:
                    break
                yield part
        if left:
            raise BundleError(f"{path} changed while it was read")


class Unpacker:
    """Writes a stream's files into a folder as it comes; nothing is left there unless all are whole.

    A context manager; `finish` gives the files their names. Never writes over a file, nor through a link.
    """

    def __init__(self, folder: Path, room: int, hidden: bool = False) -> None:
        """`room` is how many bytes of plaintext the session has; `hidden` keeps names that begin with a dot."""
        self.index: BundleIndex | None = None
        self._folder = folder
        self._room = room
        self._hidden = hidden
        self._names: list[str] = []
        self._head = bytearray()
        self._file: BinaryIO | None = None
        self._begun = 0
        self._left = 0
        self._made: list[Path] = []

    def __enter__(self) -> Self:
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
            try:
                path.open("xb").close()
            except FileExistsError:
                raise NameTaken(f"{path} exists already") from None
            self._made.append(path)
            os.replace(self._parts / str(number), path)
            paths.append(path)
        return paths

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
        for name in self._names:
            if os.path.lexists(self._folder / name):
                raise NameTaken(f"{self._folder / name} exists already")
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
