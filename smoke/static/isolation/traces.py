"""What the scan finds in a tree: traces of the network, and where each stands."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field


class TracePlace(StrEnum):
    """Where a trace stands."""

    IDENTIFIER = "identifier"
    IMPORT = "import"
    STRING = "string"
    COMMENT = "comment"
    DEPENDENCY = "dependency"
    CONFIGURATION = "configuration"
    PROSE = "prose"
    NAME = "name"


class What(StrEnum):
    """What a trace is."""

    WORD = "word"
    HOST = "host"
    ADDRESS = "address"


class IsolationTrace(Struct, frozen=True):
    """One trace of the network in a tree."""

    what: What
    place: TracePlace
    path: str
    line: int
    text: str
    excerpt: str = ""
    note: str = ""
    prose: bool = False
    """Whether the file is prose, which nothing runs."""


class Scan(Struct):
    """What a tree was found to hold."""

    traces: list[IsolationTrace] = field(default_factory=list)
    read: int = 0
    """Files read as text."""
    binary: int = 0
    """Files that are not text: searched for addresses only."""
    excluded: int = 0
    cut: list[str] = field(default_factory=list)
    """Text files of which only the first part was read."""
    overfull: dict[str, int] = field(default_factory=dict)
    """How many traces of a file were counted beyond those kept."""
