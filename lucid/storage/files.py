"""Files that are there whole and durable, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Where to write what becomes the file `path` once the block ends well. Raises `FileExistsError` and `OSError`."""
    if path.exists():
        raise FileExistsError(f"{path} exists already")
    with TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        part = Path(folder) / path.name
        yield part
        sync(part)
        part.rename(path)
    sync(path.parent)


def write_durably(path: Path, data: bytes) -> None:
    """Make `path` hold `data`, durably, in place of what it held: all of it or, after a crash, what was before."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    sync(part)
    part.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Make a file, or what a folder lists, durable. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
