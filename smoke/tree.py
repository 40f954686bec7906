"""The tree that is judged: which files it has and what they hold, whatever their state, within stated limits."""

from __future__ import annotations

import os
import stat
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path

MAX_FILES = 400_000
MAX_DEPTH = 64
MAX_LINKS = 16
MAX_READ = 4 << 20
"""Bytes of a file that are looked at; what stands behind is not judged, and `Tree.cut` says so."""

MAX_WRITTEN = 16 << 20
"""Bytes of all texts that stand within other files: variables can make much of little."""

MAX_SMALL, MAX_HELD = 1 << 16, 32 << 20
"""Bytes of a file that is kept once it was read, and of all of them."""

PRUNED = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        "__pycache__",
        "node_modules",
        ".venv",
        "venv",
        ".nox",
        ".tox",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".hypothesis",
    }
)
"""Directories that no build context is meant to hold; listed by name only."""


class Tree:
    """A directory, read once. Paths are relative to `root`, `/` separated, in sorted order.

    Symbolic links are never followed when listing; a link's target counts only where it stays below the root."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._place = str(self.root)
        self.sizes: dict[str, int] = {}
        """Regular files (and links to regular files below the root) with their size in bytes."""
        self.modes: dict[str, int] = {}
        self.links: dict[str, str] = {}
        """Symbolic links with their target as written."""
        self.directories: dict[str, tuple[str, ...]] = {}
        """Each directory (the root is the empty text) with the names in it, sorted."""
        self.written: dict[str, bytes] = {}
        """Texts that stand within other files, by a name of their own; no build context has them."""
        self.within: dict[str, tuple[str, int]] = {}
        """The file that such a text stands in, and its first line there, where the lines are the same."""
        self._room_within = MAX_WRITTEN
        self.truncated = False
        """Whether a limit stopped the listing; then absence cannot be told."""
        self._walk()
        self._content = lru_cache(maxsize=256)(self._read)
        self._held: dict[str, bytes] = {}
        self._room = MAX_HELD

    def _walk(self) -> None:
        pending = [("", 0)]
        while pending:
            directory, depth = pending.pop()
            try:
                with os.scandir(self.root / directory) as scan:
                    entries = sorted(scan, key=lambda entry: entry.name)
            except OSError:
                self.directories[directory] = ()
                continue
            names = []
            for entry in entries:
                if not _encodes(entry.name):
                    continue
                names.append(entry.name)
                path = f"{directory}/{entry.name}" if directory else entry.name
                if self._add(entry, path):
                    if depth < MAX_DEPTH:
                        pending.append((path, depth + 1))
                    else:
                        self.truncated = True
            self.directories[directory] = tuple(names)
            if len(self.sizes) > MAX_FILES:
                self.truncated = True
                return

    def _add(self, entry: os.DirEntry[str], path: str) -> bool:
        """Note an entry; says whether it is a directory to go into."""
        try:
            if entry.is_symlink():
                self.links[path] = os.readlink(entry.path)
                resolved = Path(entry.path).resolve()
                found = resolved.stat() if resolved.is_relative_to(self.root) else None
                if found is not None and stat.S_ISREG(found.st_mode):
                    self.sizes[path], self.modes[path] = found.st_size, found.st_mode & 0o7777
                return False
            if entry.is_dir(follow_symlinks=False):
                if entry.name in PRUNED:
                    self.directories[path] = ()
                    return False
                return True
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(found.st_mode):
                self.sizes[path], self.modes[path] = found.st_size, found.st_mode & 0o7777
        except (OSError, RuntimeError, ValueError):
            pass  # it vanished, loops or cannot be read: then it is not a file that a build could use
        return False

    def files(self, below: str = "") -> Iterator[str]:
        """Paths of the regular files below a directory, sorted."""
        if not below:
            return iter(self._sorted)
        # All that begins with `below/` stands together in the order of the names; `0` is the letter behind `/`.
        first, behind = bisect_left(self._sorted, f"{below}/"), bisect_left(self._sorted, f"{below}0")
        return iter(self._sorted[first:behind])

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self.sizes)

    def keep(self, name: str, data: bytes, file: str, line: int) -> bool:
        """Hold a text that stands within a file, from a line on, as if it were a file; says whether there was room."""
        if name not in self.written:
            if len(data) > self._room_within:
                return False
            self._room_within -= len(data)
        self.written[name] = data
        self.within[name] = (file, line)
        return True

    def is_file(self, path: str) -> bool:
        """Whether a regular file (or a link to one that stays in the tree) has this path."""
        return path in self.sizes or path in self.written

    def is_directory(self, path: str) -> bool:
        """Whether a directory has this path; the root is the empty text."""
        return path in self.directories

    def resolve(self, path: str) -> str | None:
        """The file or directory that a path means, links followed; none when there is none below the root."""
        for _ in range(MAX_LINKS):
            done = ""
            parts = [part for part in path.split("/") if part]
            for number, part in enumerate(parts):
                here = f"{done}/{part}" if done else part
                if here in self.links:
                    target = self.links[here]
                    above = "" if target.startswith("/") else done
                    joined = os.path.normpath("/".join([above, target, *parts[number + 1 :]]))
                    if target.startswith("/") or joined.startswith(".."):
                        return None
                    path = joined.lstrip("/")
                    break
                done = here
            else:
                return done if self.is_file(done) or self.is_directory(done) else None
        return None

    def cut(self, path: str) -> bool:
        """Whether only the first `MAX_READ` bytes of a file are looked at."""
        return self.sizes.get(path, 0) > MAX_READ

    def data(self, path: str) -> bytes:
        """The first `MAX_READ` bytes of a file; nothing when it cannot be read."""
        if (held := self._held.get(path)) is not None:
            return held
        found = self.written[path] if path in self.written else self._content(path)
        if len(found) <= MAX_SMALL and len(found) <= self._room and path not in self.written:
            # A module is looked at by half a dozen of those who judge it.
            self._held[path] = found
            self._room -= len(found)
        return found

    def text(self, path: str) -> str:
        """A file's text, with what is not UTF-8 replaced; a byte order mark is left out."""
        return self.data(path).decode("utf-8", "replace").removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")

    def _read(self, path: str) -> bytes:
        if path not in self.sizes:
            return b""
        try:
            with open(f"{self._place}/{path}", "rb") as file:
                return file.read(MAX_READ)
        except OSError:
            return b""


def _encodes(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
