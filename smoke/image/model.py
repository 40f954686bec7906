"""The image as far as it can be known without building it: what checks read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from smoke.manifest import Base, Service


@dataclass(frozen=True)
class Entry:
    """One path of the final stage's file system."""

    kind: Literal["file", "directory", "link"]
    source: str = ""
    """Path of the tree's file (or directory) that was copied here; empty when an instruction or the base made it."""
    target: str = ""
    """A link's target."""
    user: int | None = 0
    """Owner; none when it can't be told."""
    mode: int | None = None
    """Permission bits; none when it can't be told."""
    line: int = 0
    """Line of the instruction that made it; 0 when the base did."""


@dataclass
class FileSystem:
    """Absolute, normalised paths and what is there. What can't be followed is unknown, never absent."""

    entries: dict[str, Entry] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)
    """Directories below which more may exist than `entries` has (`/`: anywhere), each with the reason."""

    def find(self, path: str) -> Entry | None:
        """What is at a path, links followed (at most 16, within this file system); none when nothing is known there."""
        raise NotImplementedError

    def names(self, directory: str) -> list[str]:
        """Names in a directory, sorted."""
        raise NotImplementedError

    def doubt(self, path: str) -> str:
        """Why something may be at this path although `find` knows of nothing; empty when surely nothing is."""
        raise NotImplementedError


@dataclass(frozen=True)
class Install:
    """One installation of Python distributions that ends up in the image (in its own stage or copied from another)."""

    line: int
    requirements: tuple[str, ...] = ()
    """Requirement files, as paths of the tree."""
    distributions: tuple[str, ...] = ()
    """Requirements given on the command line, as written."""
    directory: str = ""
    """Where the final stage has what was installed; empty when that can't be told."""
    visible: bool | None = None
    """Whether the final user's Python looks there; none when that can't be told."""
    doubt: str = ""
    """Why not everything about it is known; empty when it is."""


@dataclass(frozen=True)
class Start:
    """The effective command: ENTRYPOINT and CMD composed with the base's own."""

    words: tuple[str, ...] = ()
    line: int = 0
    program: str = ""
    """Absolute path of what is executed; empty when it is not found or can't be told."""
    module: str = ""
    """Module that Python runs (`-m`), or that an ASGI server is given (`module:app`)."""
    application: str = ""
    """Name of the app object when a server is given one; `server` is then its program."""
    server: str = ""
    script: str = ""
    """Absolute path in the image of the file that Python runs."""
    search: tuple[str, ...] = ()
    """`sys.path` in force, absolute, in order, standard library left out: script's directory or working directory,
    PYTHONPATH, site directories."""
    trouble: str = ""
    """Why this would not start at all: one sentence; empty when nothing speaks against it."""
    doubt: str = ""
    """Why it can't be told what starts; empty when it can."""


@dataclass(frozen=True)
class Image:
    """The final stage of one service's Dockerfile."""

    service: Service
    dockerfile: str
    context: str | None
    """Build context (a directory of the tree; empty for the root); none when no likely one fits."""
    base: Base | None
    """The catalogue's (or manifest's) entry for the final base; none when the base is unknown."""
    base_reference: str
    files: FileSystem
    start: Start
    user: str = ""
    """As `USER` or the base says; empty when unknown."""
    workdir: str = "/"
    environment: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    platform: str = ""
    installs: tuple[Install, ...] = ()
    broken: str = ""
    """Why nothing is known of this image (its Dockerfile is missing or can't be parsed); then the rest is empty."""
