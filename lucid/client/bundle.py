"""A session's plaintext: an index of its files and then their bytes, as one stream that is cut into chunks.

The stream is the index's length in 8 big-endian bytes, the index as JSON, the files' bytes in its order, and zeros up
to the smallest chunk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from lucid.chain.errors import Code, LucidError

LENGTH_BYTES = 8
MAX_INDEX_BYTES = 4 << 20
READ_BYTES = 1 << 20


class BundleError(LucidError):
    """Files can't be put into a session, or a session's bytes are none; `detail` names the file."""

    def __init__(self, detail: str) -> None:
        super().__init__(Code.REQUEST, detail)


class FileEntry(msgspec.Struct, frozen=True):
    """One file: its name, without folders, and its bytes."""

    name: str
    size: int


class Index(msgspec.Struct, frozen=True):
    """All files of a session."""

    files: tuple[FileEntry, ...]


def index_of(paths: Sequence[Path]) -> Index:
    """The index of some files; raises `BundleError`."""
    entries = []
    for path in paths:
        if not path.is_file():
            raise BundleError(f"{path} is no file")
        entries.append(FileEntry(path.name, path.stat().st_size))
    names = [entry.name for entry in entries]
    for name in names:
        if names.count(name) > 1:
            raise BundleError(f"two files are named {name}")
    return Index(tuple(entries))


def bundle_bytes(index: Index) -> int:
    """Bytes of the stream, without what fills it up."""
    return LENGTH_BYTES + len(msgspec.json.encode(index)) + sum(entry.size for entry in index.files)


def pack(paths: Sequence[Path], index: Index, size: int, least: int) -> Iterator[bytes]:
    """The stream in pieces of `size` bytes, the last one shorter but no shorter than `least`."""
    held = bytearray()
    for part in _parts(paths, index):
        held += part
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held).ljust(least, b"\0")


def _parts(paths: Sequence[Path], index: Index) -> Iterator[bytes]:
    encoded = msgspec.json.encode(index)
    if len(encoded) > MAX_INDEX_BYTES:
        raise BundleError("there are too many files")
    yield len(encoded).to_bytes(LENGTH_BYTES, "big") + encoded
    for path, entry in zip(paths, index.files, strict=True):
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
    """Writes a stream's files into a folder as it comes; none is left there unless all are whole.

    A context manager; `finish` gives the files their names. Never writes over a file.
    """

    def __init__(self, folder: Path) -> None:
        self.index: Index | None = None
        self._folder = folder
        self._head = bytearray()
        self._made: list[tuple[Path, Path]] = []
        self._file: BinaryIO | None = None
        self._left = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        for part, _ in self._made:
            with suppress(FileNotFoundError):
                part.unlink()

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

    def finish(self) -> list[Path]:
        """Name the files; returns them. Raises `BundleError` if some bytes did not come."""
        if self.index is None or self._next():
            raise BundleError("the session's bytes end too early")
        self._close()
        for part, path in self._made:
            path.hardlink_to(part)
        return [path for _, path in self._made]

    def _begin(self) -> bytes:
        """Read the index, when all of it has come; returns the bytes after it."""
        if len(self._head) < LENGTH_BYTES:
            return b""
        end = LENGTH_BYTES + int.from_bytes(self._head[:LENGTH_BYTES], "big")
        if end > MAX_INDEX_BYTES + LENGTH_BYTES:
            raise BundleError("the session's index is too large: these are no files that lucid anchored")
        if len(self._head) < end:
            return b""
        try:
            self.index = msgspec.json.decode(self._head[LENGTH_BYTES:end], type=Index)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BundleError(f"the session's index can't be read: {error}") from None
        _check_names(self.index.files, self._folder)
        return bytes(self._head[end:])

    def _next(self) -> bool:
        """Open the next file when the one before is whole; says whether there is one that wants bytes."""
        assert self.index is not None
        while not self._left:
            self._close()
            if len(self._made) == len(self.index.files):
                return False
            entry = self.index.files[len(self._made)]
            part = self._folder / f".{entry.name}.part"
            self._file = part.open("xb")
            self._made.append((part, self._folder / entry.name))
            self._left = entry.size
        return True

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _check_names(files: Iterable[FileEntry], folder: Path) -> None:
    seen = set[str]()
    for entry in files:
        name = entry.name
        if name in ("", ".", "..") or "/" in name or "\0" in name or name in seen or entry.size < 0:
            raise BundleError(f"the session holds a file of the impossible name {name!r}")
        seen.add(name)
        if (folder / name).exists():
            raise BundleError(f"{folder / name} exists already")
