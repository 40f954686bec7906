"""Classes of the tree by module and name, so that bases are found that other modules have."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from msgspec import Struct

from smoke.static.python.abstract import ClassAt, left_in
from smoke.static.python.called import plain_names
from smoke.static.python.imported import imported_names, relative_names
from smoke.static.python.importer import Importer, Meaning
from smoke.static.python.linearized import Parent, refused_bases
from smoke.static.python.nodes import below
from smoke.static.regex import regex

HEIRS = regex(rb"(?m)^class\s+\w+\([^)]*,")
"""Classes with several bases."""
MAX_MODULES = 200
"""Modules that are parsed anew for their classes."""


class _Classes(Struct, frozen=True):
    """What a module has of classes, and what the names mean that it imports."""

    made: dict[str, ast.ClassDef]
    imported: dict[str, str]
    relative: dict[str, tuple[int, str]]
    given: frozenset[str]
    """Attributes that it gives to anything; `*` for those that cannot be listed."""
    package: str


class Inherited:
    """Looks classes up, each module once."""

    def __init__(self, importer: Importer) -> None:
        self._importer = importer
        self._known: dict[str, _Classes | None] = {}

    def left_abstract(self, module: str, name: str) -> tuple[str, ...]:
        """Abstract methods that a class of a module surely still has; empty when that cannot be told."""
        left = left_in(name, module, self._lookup)
        given = frozenset().union(*(each.given for each in self._known.values() if each is not None))
        return () if {*left, "__abstractmethods__", "*"} & given else left

    def refused(self, module: str) -> Iterator[tuple[int, str]]:
        """Lines and reasons for which the bases of a module's own classes cannot stand as they do."""
        held = self._classes(module)
        for cls in held.made.values() if held is not None else ():
            if reason := refused_bases(ClassAt(cls, module), self._base):
                yield cls.lineno, reason

    def _base(self, module: str, name: str) -> Parent | None:
        if (found := self._lookup(module, name)) is not None:
            return Parent((found.module, found.cls.name), found)
        held = self._classes(module)
        first, _, rest = name.partition(".")
        if held is None or first not in held.imported or first in held.relative:
            return None
        target = ".".join(filter(None, (held.imported[first], rest)))
        own = self._importer.find(target.partition(".")[0])
        return None if own.source or own.kind in (Meaning.PACKAGE, Meaning.NAMESPACE) else Parent(("", target))

    def _lookup(self, module: str, name: str, depth: int = 4) -> ClassAt | None:
        held = self._classes(module)
        if held is None or depth == 0:
            return None
        if name in held.made:
            return ClassAt(held.made[name], module)
        first, _, rest = name.partition(".")
        if first in held.relative:
            level, target = held.relative[first]
            parts = held.package.split(".") if held.package else []
            if level > len(parts):
                return None
            target = ".".join([*parts[: len(parts) - level + 1], target])
        else:
            target = held.imported.get(first, "")
        above, _, last = (f"{target}.{rest}" if rest else target).rpartition(".")
        return self._lookup(above, last, depth - 1) if above else None

    def _classes(self, module: str) -> _Classes | None:
        if module not in self._known and len(self._known) < MAX_MODULES:
            self._known[module] = self._read(module)
        return self._known.get(module)

    def _read(self, module: str) -> _Classes | None:
        found = self._importer.find(module)
        source = self._importer.source(found.source) if found.source else None
        if source is None or source.error or source.doubt:
            return None
        data = self._importer.tree.data(found.source)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = ast.parse(data)
        plain = plain_names(parsed, data)
        made = {each.name: each for each in parsed.body if isinstance(each, ast.ClassDef) and each.name in plain}
        given = {
            each.attr for each in below(parsed) if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store)
        }
        given |= {"*"} if b"setattr(" in data or b"vars(" in data else set()
        package = module if found.kind is Meaning.PACKAGE else module.rpartition(".")[0]
        return _Classes(made, imported_names(parsed), relative_names(parsed), frozenset(given), package)
