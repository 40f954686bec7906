"""Archives of the context that ADD unpacks."""

from __future__ import annotations

import io
import posixpath
from typing import Literal

from smoke.static.model.copyorder import CopyOrder
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import FileSystem, PathEntry
from smoke.tree import Tree

MAX_MEMBERS = 20_000
MAX_UNPACKED = 64 << 20
"""Bytes that are unpacked of one archive to find its members."""
_MAGIC = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")
_KINDS: dict[bytes, Literal["directory", "link", "file"]] = {
    b"5": "directory",
    b"2": "link",
    b"0": "file",
    b"\0": "file",
    b"1": "file",
}
"""The types of members that are followed, as tar writes them."""


class _Bounded(io.BufferedIOBase):
    """Ends a stream that goes on for too long."""

    def __init__(self, inner: io.BufferedIOBase) -> None:
        self.inner, self.left = inner, MAX_UNPACKED

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes; raises `OSError` beyond the bound."""
        data = bytes(self.inner.read(size if size is not None and size >= 0 else self.left + 1))
        self.left -= len(data)
        if self.left < 0:
            raise OSError("it holds too much to be looked into")
        return data

    def readable(self) -> bool:
        """Always."""
        return True


def unpack(files: FileSystem, tree: Tree, path: str, order: CopyOrder) -> bool:
    """Unpack a file of the tree into a directory if it is an archive; says whether it is one.

    Docker tells an archive by its content, not by its name; what cannot be read here is in doubt."""
    data = tree.data(path)
    compressed = data.startswith(_MAGIC)
    if not compressed and data[257:262] != b"ustar":
        return False
    if tree.cut(path) or data.startswith(_MAGIC[-1]):
        files.suspect(order.place, f"{path} is not looked into", DoubtCause.COPY)
        return True
    import tarfile  # noqa: PLC0415 - few trees have archives, and it takes its time to load

    found: list[tuple[str, PathEntry]] = []
    try:
        with tarfile.open(fileobj=_stream(data), mode="r|") as archive:
            for number, member in enumerate(archive):
                kind = _KINDS.get(member.type)
                inside = posixpath.normpath("/" + member.name).lstrip("/")
                if kind is None or not inside or number >= MAX_MEMBERS:
                    continue
                bits = member.mode & 0o7777 if order.mode is None else order.mode
                target = member.linkname if kind == "link" else ""
                made = PathEntry(kind, target=target, user=order.user, mode=bits, line=order.line)
                found.append((posixpath.join(order.place, inside), made))
    except (tarfile.TarError, OSError, EOFError, ValueError, ImportError):
        if compressed and not found:
            return False  # something else that is compressed is copied as it is
        files.suspect(order.place, f"{path} is not looked into", DoubtCause.COPY)
    for at, entry in found:
        files.add(at, entry)
    return True


def _stream(data: bytes) -> _Bounded:
    import bz2  # noqa: PLC0415 - few trees have such archives
    import gzip  # noqa: PLC0415
    import lzma  # noqa: PLC0415

    plain = io.BytesIO(data)
    if data.startswith(_MAGIC[0]):
        return _Bounded(gzip.GzipFile(fileobj=plain))
    if data.startswith(_MAGIC[1]):
        return _Bounded(bz2.BZ2File(plain))
    return _Bounded(lzma.LZMAFile(plain) if data.startswith(_MAGIC[2]) else plain)
