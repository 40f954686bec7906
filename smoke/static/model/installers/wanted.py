"""What an installer is told: by its command line, and by the directory that it works in."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from msgspec import Struct, field

from smoke.static.model.install import InstalledProject, MadeFor
from smoke.static.model.installers.venvs import venv_of
from smoke.static.model.stage import Stage


class InstallRequest(Struct):
    """What an installer is told."""

    requirements: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    projects: list[InstalledProject] = field(default_factory=list)
    directory: str = ""
    scripts: str = ""
    doubt: str = ""
    unplaced: bool = False
    """Whether it names a directory that cannot be worked out."""
    made: MadeFor = field(default_factory=MadeFor)
    user: bool = False
    system: bool = False
    no_dependencies: bool = False
    python: str = ""
    groups: list[str] = field(default_factory=list)
    house: str = ""
    """Where wheels are put that are not installed."""
    wheels: list[str] = field(default_factory=list)
    """Wheels of the tree that are at hand."""
    no_index: bool = False
    sources: list[str] = field(default_factory=list)
    """Directories of `--find-links`."""


def tree_directory(stage: Stage, path: str) -> str | None:
    """The directory of the tree that a directory of the stage was copied from."""
    for marker in ("pyproject.toml", "setup.py", "setup.cfg"):
        entry = stage.files.find(posixpath.join(path, marker))
        if entry is not None and entry.source:
            return posixpath.dirname(entry.source)
    return None


def tree_file(stage: Stage, path: str) -> str:
    entry = stage.files.find(stage.path(path))
    return entry.source if entry is not None and entry.kind == "file" else ""


def made_for(stage: Stage, program: str = "") -> MadeFor:
    """What an installation in this stage is made for unless it is told otherwise."""
    venv = venv_of(stage, program)
    python = venv.version if venv is not None else ""
    named = re.search(r"(3\.\d+)$", posixpath.basename(program))
    python = python or (named[1] if named else "") or stage.python
    return MadeFor(python, stage.libc, stage.machine)


def read_flags(rest: Sequence[str], valued: frozenset[str]) -> tuple[set[str], dict[str, list[str]], list[str]]:
    flags: set[str] = set()
    values: dict[str, list[str]] = {}
    operands: list[str] = []
    words = iter(rest)
    for word in words:
        name, equals, value = word.partition("=")
        if word.startswith("-") and equals:
            values.setdefault(name, []).append(value)
        elif word in valued:
            values.setdefault(word, []).append(next(words, ""))
        elif word.startswith("-"):
            flags.add(word)
        else:
            operands.append(word)
    return flags, values, operands


def split_values(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(part for value in values for part in re.split(r"[,\s]+", value) if part)
