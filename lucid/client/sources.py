"""Files of a folder as they go into a session: which are taken, which are left out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from lucid.client.bundle import BundleSource, FileEntry
from lucid.client.errors import BundleError
from lucid.client.names import check_names


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
