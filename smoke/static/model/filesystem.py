"""The file system of a stage as far as it can be followed."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from fnmatch import translate
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from smoke.static.model.doubt import NO_DOUBT, Doubt, DoubtCause

MAX_LINKS = 16
MAX_ENTRIES = 300_000
"""Paths that a stage is followed to; beyond them everything is in doubt."""


class PathEntry(Struct, frozen=True):
    """One path of a stage's file system."""

    kind: Literal["file", "directory", "link"]
    source: str = ""
    """Path of the tree's file (or directory) that was copied here; empty when an instruction or the base made it."""
    target: str = ""
    """A link's target."""
    user: int | None = 0
    """Owner; none when it cannot be told."""
    mode: int | None = None
    """Permission bits; none when it cannot be told."""
    line: int = 0
    """Line of the instruction that made it; 0 when the base did."""
    libc: str = ""
    """The C library that a program is linked with; empty for none, and where it is not known."""
    machine: str = ""
    """The machine that a program is built for, as wheels name it; empty where it is not known."""
    unix: bool = False
    """Whether a step took the carriage returns away."""
    text: str | None = None
    """What the Dockerfile itself writes into it; none where it does not."""


class FileSystem(Struct):
    """Absolute, normalized paths and what is there. What cannot be followed is in doubt, never absent."""

    entries: dict[str, PathEntry] = field(default_factory=dict)
    doubts: dict[str, Doubt] = field(default_factory=dict)
    """Directories below which more may exist than `entries` has (`/`: anywhere), each with the reason."""
    whole: set[str] = field(default_factory=set)
    """Packages of the tree's own that were installed: what else is installed beside them puts nothing there."""
    bare: dict[str, int] = field(default_factory=dict)
    """Directories of the tree of which nothing was copied, with the line: another may have been put over them."""
    with_modules: set[str] = field(default_factory=set)
    """Directories to which a node_modules that someone installed beside the tree's files is copied along."""
    _names: dict[str, set[str]] | None = None
    """The names in each directory; none after a change, until they are asked for."""
    _led: dict[str, str] = field(default_factory=dict)
    """Where directories that files were put into lead, until a link comes or goes."""

    def resolve(self, path: str) -> str:
        """The path with links followed, as far as they are known; empty when they lead in a circle."""
        for _ in range(MAX_LINKS):
            done = "/"
            for part in posixpath.normpath("/" + path.lstrip("/")).strip("/").split("/"):
                here = posixpath.join(done, part)
                entry = self.entries.get(here)
                if entry is not None and entry.kind == "link":
                    rest = path_below(posixpath.normpath(path), here)
                    path = posixpath.normpath(posixpath.join(done, entry.target, rest))
                    break
                done = here
            else:
                return done
        return ""

    def find(self, path: str) -> PathEntry | None:
        """What is at a path, links followed; none when nothing is known there."""
        resolved = self.resolve(path)
        return PathEntry("directory") if resolved == "/" else self.entries.get(resolved)

    def names(self, directory: str) -> list[str]:
        """Names in a directory, sorted."""
        if self._names is None:
            self._names = {}
            for path in self.entries:
                above, _, name = path.rpartition("/")
                self._names.setdefault(above or "/", set()).add(name)
        return sorted(self._names.get(self.resolve(directory), ()))

    def link(self, path: str, target: str) -> None:
        """Put a symbolic link there, whatever was."""
        self.entries[path] = PathEntry("link", target=target)
        self._names = None
        self._led.clear()

    def doubt(self, path: str) -> Doubt:
        """Why something may be at this path although `find` knows of nothing; empty when surely nothing is."""
        resolved = self.resolve(path)
        if not resolved:
            return Doubt("links lead in a circle", DoubtCause.LINKS)
        made = whole = False
        while True:
            reason = self.doubts.get(resolved, NO_DOUBT)
            whole = whole or resolved in self.whole
            # What is in a directory that an instruction made is not the base's.
            mine = (made and reason.cause is DoubtCause.BASE) or (whole and reason.cause is DoubtCause.DISTRIBUTIONS)
            if reason and not mine:
                return reason
            if resolved == "/":
                return NO_DOUBT
            entry = self.entries.get(resolved)
            made = made or (entry is not None and entry.line > 0)
            resolved = posixpath.dirname(resolved)

    def suspect(self, path: str, why: str, cause: DoubtCause) -> None:
        """From now on something may be at or below a path; an earlier reason stays, unless it was the base alone."""
        path = posixpath.normpath(path)
        held = self.doubts.get(path)
        if held is None or held.cause is DoubtCause.BASE:
            self.doubts[path] = Doubt(why, cause)

    def every_doubt(self, path: str) -> Iterator[Doubt]:
        """All reasons why something may be at a path, from the nearest directory up."""
        resolved = self.resolve(path) or "/"
        while True:
            if (reason := self.doubts.get(resolved)) is not None:
                yield reason
            if resolved == "/":
                return
            resolved = posixpath.dirname(resolved)

    def glob(self, pattern: str) -> list[str]:
        """Known paths that an absolute pattern of a shell matches, sorted; `*` crosses no directory."""
        parts = pattern.strip("/").split("/")
        found = [""]
        for part in parts:
            if not any(letter in part for letter in "*?["):
                found = [f"{above}/{part}" for above in found]
                continue
            expression = re.compile(translate(part))
            found = [
                f"{above}/{name}"
                for above in found
                for name in self.names(above or "/")
                if expression.match(name) and (part.startswith(".") or not name.startswith("."))
            ]
        return [path for path in found if self.find(path) is not None]

    def add(self, path: str, entry: PathEntry) -> None:
        """Put an entry there, with the directories above it."""
        directory, _, name = posixpath.normpath(path).rpartition("/")
        above = self._led.get(directory)
        if above is None:
            above = self._led[directory] = self.resolve(directory or "/") or directory
        path = posixpath.join(above, name)
        self._names = None
        if len(self.entries) >= MAX_ENTRIES:
            self.suspect("/", f"there are more than {MAX_ENTRIES} files in it", DoubtCause.COPY)
            return
        while above not in ("/", "") and above not in self.entries:
            self.entries[above] = PathEntry("directory", line=entry.line)
            above = posixpath.dirname(above)
        held = self.entries.get(path)
        if path == "/" or (held is not None and entry.kind == held.kind == "directory"):
            return
        if entry.kind == "link" or (held is not None and held.kind == "link"):
            self._led.clear()
        self.entries[path] = entry

    def remove(self, path: str) -> None:
        """Take a path away, with all below it."""
        path = posixpath.normpath(path)
        self._names = None
        self._led.clear()
        for each in [each for each in self.entries if each == path or each.startswith(path + "/")]:
            del self.entries[each]

    def below(self, path: str) -> Iterator[tuple[str, PathEntry]]:
        """Every entry at or below a path, with its path."""
        resolved = self.resolve(path)
        prefix = resolved.rstrip("/") + "/"
        return ((each, entry) for each, entry in self.entries.items() if each == resolved or each.startswith(prefix))

    def change(self, path: str, recursive: bool, *, user: int | None = -1, mode: int | None = -1) -> None:
        """Change owner or mode (-1: leave it) of what is at a path."""
        resolved = self.resolve(path)
        for each, entry in list(self.below(path)):
            if recursive or each == resolved:
                self.entries[each] = replace(
                    entry,
                    user=entry.user if user == -1 else user,
                    mode=entry.mode if mode == -1 else mode,
                )

    def copy(self) -> FileSystem:
        """Another one with the same content."""
        held = set(self.whole), dict(self.bare), set(self.with_modules)
        return FileSystem(dict(self.entries), dict(self.doubts), *held)


def path_below(path: str, above: str) -> str:
    """What of a path stands below another; empty when they are the same."""
    return path[len(above) :].lstrip("/")
