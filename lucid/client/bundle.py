"""A session's plaintext: an index of its files and then their bytes, as one stream that is cut into chunks.

The stream is the index's length in 8 big-endian bytes, the index as JSON, the files' bytes in its order, and zeros up
to the smallest chunk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

from lucid.chain.strictjson import MAX_WHOLE
from lucid.client.errors import BundleError

LENGTH_BYTES = 8
MAX_INDEX_BYTES = 4 << 20
READ_BYTES = 1 << 20


class FileEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file: its name, folders divided by `/`, and its bytes."""

    name: str
    size: Annotated[int, msgspec.Meta(ge=0, le=MAX_WHOLE)]


class BundleIndex(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All files of a session."""

    files: tuple[FileEntry, ...]


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


class BundleSource(NamedTuple):
    """A file on disk that goes into a session under a name."""

    path: Path
    entry: FileEntry
    modified_ns: int
