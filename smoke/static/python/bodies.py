"""The statements of a body: all that is in them, and which of them leave it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from smoke.static.python.dotted import dotted
from smoke.static.python.nodes import children

_ENDS = frozenset({"sys.exit", "exit", "quit", "os._exit"})


_NESTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def within(body: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    """Everything in statements, but not what is in functions and classes among them."""
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, _NESTED):
            pending += children(node)


def leaves(node: ast.stmt, full: dict[str, str]) -> bool:
    """Whether what follows a statement may not run, or surely does not."""
    if isinstance(node, ast.Return | ast.Raise | ast.Continue | ast.Break):
        return True
    if isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and node.test.value:
        return not any(isinstance(each, ast.Break) for each in within(node.body))
    if isinstance(node, _NESTED):
        return False
    return any(isinstance(each, ast.Return) or _ends(each, full) for each in within([node]))


def _ends(node: ast.AST, full: dict[str, str]) -> bool:
    if not isinstance(node, ast.Call):
        return False
    first, dot, rest = dotted(node.func).partition(".")
    return f"{full.get(first, first)}{dot}{rest}" in _ENDS
