"""Files that are there whole and durable, or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Where to write what becomes the file `path` once the block ends well; what a process left that was killed here
    goes. Raises `FileExistsError` and `OSError`."""
    if path.exists():
        raise FileExistsError(f"{path} exists already")
    prefix = f".{path.name}.lucid-"
    for left in path.parent.iterdir():
        if left.name.startswith(prefix):
            _remove_left(left)
    with TemporaryDirectory(dir=path.parent, prefix=prefix) as folder, _held(Path(folder)):
        part = Path(folder) / path.name
        yield part
        sync(part)
        part.rename(path)
    sync(path.parent)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Nobody removes it meanwhile. Raises `BlockingIOError` where another process holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _remove_left(folder: Path) -> None:
    with suppress(OSError), _held(folder):  # what cannot be removed is in nobody's way
        shutil.rmtree(folder)


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
