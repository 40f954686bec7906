"""The import graph from what a container starts: what is loaded, and what breaks on the way."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct, field

from smoke.static.python.effects import Effects
from smoke.static.python.source import Source


class Flaw(Enum):
    """Kinds of problems."""

    IMPORT = "import"
    RELATIVE = "relative"
    NAME = "name"
    SYNTAX = "syntax"
    CIRCLE = "circle"
    ANNOTATION = "annotation"
    SHADOW = "shadow"


class ImportProblem(Struct, frozen=True):
    """What breaks when the module is loaded. `lazy`: only when some function runs."""

    source: str
    line: int
    message: str
    lazy: bool = False
    flaw: Flaw = Flaw.IMPORT


class Outside(Struct, frozen=True):
    """An import of what is not of the tree and not of the standard library: it must be installed."""

    name: str
    """The whole dotted name."""
    source: str
    line: int
    caught: bool
    lazy: bool
    by: str = ""
    """The setting that names it as text; empty for an import."""

    @property
    def top(self) -> str:
        """The top-level module."""
        return self.name.partition(".")[0]


class ImportStep(Struct, frozen=True):
    """One import as it is executed: what it loads, in order, and which names it then takes."""

    line: int
    loads: tuple[str, ...]
    wanted: tuple[str, ...] = ()
    """Names taken of `target` that are not modules themselves."""
    target: str = ""


class Graph(Struct):
    """Everything reachable from the entry."""

    problems: list[ImportProblem] = field(default_factory=list)
    shadows: list[ImportProblem] = field(default_factory=list)
    """Modules that stand in the way of others of their name."""
    outside: list[Outside] = field(default_factory=list)
    doubts: list[ImportProblem] = field(default_factory=list)
    modules: dict[str, Source] = field(default_factory=dict)
    """Source files that are loaded, by their path in the tree, in order of arrival."""
    places: dict[str, str] = field(default_factory=dict)
    """Where the image has each of them."""
    steps: dict[str, list[ImportStep]] = field(default_factory=dict)
    """Imports of each that run as it is loaded, in order."""
    later: set[str] = field(default_factory=set)
    """Those of the modules that only some function loads, or an import that may fail."""
    settings: set[str] = field(default_factory=set)
    """Modules that are Django's settings."""
    before: tuple[str, ...] = ()
    """Packages that the entry is in: they are loaded before it."""
    called: dict[str, list[Effects]] = field(default_factory=dict)
    """What functions of modules do that others call as they are loaded, by the module that has the function."""
    served: set[str] = field(default_factory=set)
    """Modules whose app a server starts."""
    entry: Source | None = None
    entry_is_main: bool = False

    def effects(self, path: str) -> list[Effects]:
        """All that a module does as it is loaded, as others that are loaded call it, and as its app is started."""
        found = [self.modules[path].effects, *self.called.get(path, ())]
        return [*found, *(each.served for each in found if path in self.served and each.served is not None)]
