"""What the names and expressions of a module stand for as it is loaded, as far as that is known."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager

from smoke.static.python.called import Function
from smoke.static.python.imported import imported_names, relative_names
from smoke.static.python.parameters import own_names
from smoke.static.python.paths import Paths


class Bindings:
    """The names of a module, and those of its functions while one of them is read."""

    def __init__(self, parsed: ast.Module) -> None:
        self.imported = imported_names(parsed)
        """Each name that an import makes, with what it means: `np` is `numpy`."""
        self.relative = relative_names(parsed)
        """Those of relative imports, with the dots before them and what follows these."""
        self.paths = Paths(parsed.body, imported=self.imported)

    def full(self, name: str) -> str:
        """A dotted name with its first part as it was imported."""
        first, dot, rest = name.partition(".")
        return f"{self.imported.get(first, first)}{dot}{rest}"

    def expression(self, node: ast.expr) -> ast.expr:
        """What a name stands for."""
        return self.paths.expression(node)

    def text(self, node: ast.expr | None) -> str:
        """The text that an expression surely is; empty when that cannot be told."""
        known = self.paths.expression(node) if node is not None else None
        return known.value if isinstance(known, ast.Constant) and isinstance(known.value, str) else ""

    def given(self, node: ast.expr) -> tuple[bool, str | int | None]:
        """Whether an argument is a plain constant, and which."""
        known = self.paths.expression(node)
        plain = isinstance(known, ast.Constant) and isinstance(known.value, str | int | None)
        return (True, known.value) if plain and isinstance(known, ast.Constant) else (False, None)  # type: ignore[return-value]

    def knows(self, package: str) -> bool:
        """Whether something of a package was imported."""
        return any(each.partition(".")[0] == package for each in self.imported.values())

    @contextmanager
    def within(self, function: Function, arguments: dict[str, ast.expr]) -> Iterator[None]:
        """In here, names mean what they do in a function that was given these arguments."""
        before = self.paths, self.imported
        self.paths = self.paths.within(function.body, own_names(function), arguments)
        self.imported = {**self.imported, **imported_names(ast.Module(function.body, []))}
        try:
            yield
        finally:
            self.paths, self.imported = before
