"""Where a program is that a stage would start: on its PATH, or at a path."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from msgspec import Struct

from smoke.static.model.doubt import NO_DOUBT, Doubt, DoubtCause
from smoke.static.model.filesystem import FileSystem, PathEntry
from smoke.static.model.packages import system_programs
from smoke.static.regex import regex

_OF_PYTHON = regex(r"(?:python|pip|pydoc|idle|2to3|easy_install|wheel)[\d.]*(?:-config)?$")
_SYSTEM = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
OF_SYSTEMS = frozenset(
    ["ash", "bash", "cat", "chmod", "chown", "cp", "cut", "dash", "env", "grep", "ls", "mkdir", "mv", "rm", "sed", "sh"]
)
"""Programs of every system, which no distribution of Python's brings."""
MAX_SHEBANG = 256


class FoundProgram(Struct, frozen=True):
    """Where a program is; with neither a place nor a doubt it surely is nowhere."""

    place: str = ""
    """Its absolute path, as it is looked up: links in it are not followed."""
    doubt: Doubt = NO_DOUBT


@cache
def _of_debian() -> frozenset[str]:
    text = Path(__file__).with_name("debian_programs.txt").read_text("utf-8")
    return frozenset(line for line in text.split("\n") if not line.startswith("#"))


class Lacking(Struct, frozen=True):
    """Names of programs that no directory of the system has, whatever else is there."""

    names: frozenset[str] = frozenset()
    slim: bool = False
    """Whether the system is one of Debian's slim images, and no package was added: all its programs are known."""

    def __contains__(self, name: str) -> bool:
        return name in self.names or (
            self.slim and name not in _of_debian() and not _OF_PYTHON.match(name) and not name.startswith("_")
        )


class Surroundings(Struct, frozen=True):
    """What decides which program a name means."""

    files: FileSystem
    path: str
    """The PATH in force."""
    workdir: str
    lacking: Lacking = Lacking()

    def places(self, name: str) -> Iterator[str]:
        """Where a name is looked for, in order."""
        if "/" in name:
            yield posixpath.normpath(posixpath.join(self.workdir, name))
            return
        for directory in self.path.split(":"):
            if directory:
                yield posixpath.join(self.workdir, directory, name)

    def find(self, name: str) -> FoundProgram:
        """The program that a name or path means."""
        doubts: list[Doubt] = []
        anywhere = self.files.doubts.get("/", NO_DOUBT)
        if anywhere.cause is DoubtCause.UNKNOWN_BASE and "/" not in name:
            doubts.append(anywhere)  # its PATH is not known either
        for place in self.places(name):
            entry = self.files.find(place)
            if entry is not None and entry.kind == "file":
                return FoundProgram(place)
            if dangling := self._dangles(place):
                doubts.append(dangling)
            elif self.files.doubt(place):
                doubts += [doubt for doubt in self.files.every_doubt(place) if not self.surely_lacks(place, doubt)]
        return FoundProgram("", doubts[0] if doubts else NO_DOUBT)

    def _dangles(self, place: str) -> Doubt:
        """A link whose target is known to no one: the doubt about its target."""
        entry = self.files.entries.get(place)
        if entry is None or entry.kind != "link":
            return NO_DOUBT
        return self.files.doubt(posixpath.join(posixpath.dirname(place), entry.target))

    def surely_lacks(self, place: str, doubt: Doubt) -> bool:
        """Whether the doubt about a place is of a kind that cannot bring this program."""
        directory, name = posixpath.split(place)
        if doubt.cause is DoubtCause.BASE and directory not in _SYSTEM:
            # A base has a program once: one of the system's is not in another directory too.
            return any(self.files.find(f"{each}/{name}") is not None for each in _SYSTEM)
        own = self.lacking.slim and directory == "/usr/bin" and _OF_PYTHON.match(name)
        if doubt.cause is DoubtCause.BASE and own and self.files.find(f"/usr/local/bin/{name}") is not None:
            return True  # a slim image of Python has it there alone
        if doubt.cause is DoubtCause.DISTRIBUTIONS and name in OF_SYSTEMS:
            return True
        if name not in self.lacking:
            return False
        if doubt.cause is DoubtCause.BASE:
            return True
        return doubt.cause is DoubtCause.DISTRIBUTIONS and name in system_programs()

    def interpreter(self, entry: PathEntry, first: bytes) -> str:
        """Why a script cannot be executed, from its entry and its first bytes; empty when nothing speaks against it."""
        line = first[:MAX_SHEBANG].partition(b"\n")[0]
        if not line.startswith(b"#!"):
            return ""
        text = line[2:].decode("utf-8", "replace")
        if text.endswith("\r"):
            return f"its first line ends with a carriage return, and no program is named {text.strip()[:80]}\\r"
        words = text.split()
        if not words:
            return ""
        program = words[0]
        if posixpath.basename(program) == "env" and len(words) > 1:
            program = next((word for word in words[1:] if not word.startswith("-") and "=" not in word), program)
            if words[1] == program and len(words) > 2:
                # The kernel gives all that stands behind env as one word.
                return f"its first line gives env one word, {' '.join(words[1:])!r}: several take env -S"
        found = self.find(program)
        if found.place or found.doubt:
            return ""
        return f"its first line asks for {program}, which the image does not have"
