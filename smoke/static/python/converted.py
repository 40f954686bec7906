"""Environment variables that a module makes numbers of as it is loaded."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct

from smoke.static.python.dotted import dotted
from smoke.static.python.imported import imported_names
from smoke.static.python.nodes import children
from smoke.static.python.quiet import parse_quietly
from smoke.static.regex import regex

_HINT = regex(rb"\b(?:int|float)\(\s*(?:os\.)?(?:environ|getenv)")
_READS = frozenset({"os.getenv", "os.environ.get"})


class Converted(Struct, frozen=True):
    """A variable that has to be a number."""

    line: int
    name: str
    kind: str
    """`int` or `float`."""
    default: str | None
    """What is taken where it is not given, if that is a text."""


def converted(data: bytes) -> Iterator[Converted]:
    """Conversions that surely happen as the module is loaded: in plain statements at its top, and in its classes."""
    if not _HINT.search(data):
        return
    parsed = parse_quietly(data)
    if parsed is None:
        return
    names = imported_names(parsed)
    pending: list[ast.stmt] = list(reversed(parsed.body))
    while pending:
        node = pending.pop()
        if isinstance(node, ast.ClassDef):
            pending += reversed(node.body)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.Expr) and node.value is not None:
            yield from _within(node.value, names)


def _within(node: ast.expr, names: dict[str, str]) -> Iterator[Converted]:
    pending: list[ast.AST] = [node]
    while pending:
        each = pending.pop()
        if isinstance(each, ast.Lambda | ast.IfExp | ast.BoolOp | ast.GeneratorExp | ast.ListComp | ast.DictComp):
            continue  # it may not be worked out, or not now
        if isinstance(each, ast.Call) and dotted(each.func) in ("int", "float") and len(each.args) == 1:
            found = _read(each.args[0], names)
            if found is not None and not each.keywords:
                yield Converted(each.lineno, found[0], dotted(each.func), found[1])
                continue
        pending += children(each)


def _read(node: ast.expr, names: dict[str, str]) -> tuple[str, str | None] | None:
    """The variable that an expression reads, and its default."""
    if isinstance(node, ast.Subscript):
        key = node.slice
        known = _full(node.value, names) == "os.environ" and isinstance(key, ast.Constant)
        return (str(key.value), None) if known and isinstance(key, ast.Constant) else None
    if not isinstance(node, ast.Call) or node.keywords or _full(node.func, names) not in _READS:
        return None
    if not node.args or not all(isinstance(each, ast.Constant) for each in node.args):
        return None
    values = [each.value for each in node.args if isinstance(each, ast.Constant)]
    default = values[1] if len(values) > 1 else None
    return str(values[0]), default if isinstance(default, str) else None


def _full(node: ast.expr, names: dict[str, str]) -> str:
    first, _, rest = dotted(node).partition(".")
    return ".".join(filter(None, (names.get(first, first), rest)))


def is_number(text: str, kind: str) -> bool:
    """Whether Python makes a number of a text."""
    try:
        int(text) if kind == "int" else float(text)
    except ValueError:
        return False
    return True
