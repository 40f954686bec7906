"""The constant that an expression is, as far as its own words tell."""

from __future__ import annotations

import ast

from smoke.static.python.dotted import dotted

_ENVIRONMENT = frozenset({"os.environ.get", "os.getenv", "environ.get", "getenv"})


def constant(node: ast.expr, numbers: dict[str, int]) -> object:  # noqa: PLR0911 - a case a form
    """A constant that an expression is, or the default of what it reads from the environment; else none."""
    match node:
        case ast.Constant(value=plain):
            return plain
        case ast.Name(id=name):
            return numbers.get(name)
        case ast.Call(func=function, args=[inside]) if dotted(function) in ("int", "str"):
            text = constant(inside, numbers)
            return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10 else text
        case ast.Call(func=function, args=[_, default]) if dotted(function) in _ENVIRONMENT:
            return constant(default, numbers)
        case ast.BoolOp(op=ast.Or(), values=values):
            return constant(values[-1], numbers)
        case ast.JoinedStr(values=values):
            parts = [constant(each.value if isinstance(each, ast.FormattedValue) else each, numbers) for each in values]
            return "".join(map(str, parts)) if all(part is not None for part in parts) else None
        case ast.List(elts=[only]):
            return constant(only, numbers)
    return None


def beginning(node: ast.expr | None) -> str:
    """The constant text that a string begins with."""
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def is_true(node: ast.expr | None) -> bool:
    """Whether an expression is `True` as it stands."""
    return isinstance(node, ast.Constant) and node.value is True
