"""Environment variables without which a call, or a check, ends the program."""

from __future__ import annotations

import ast
from typing import Protocol

from smoke.static.python.dotted import dotted
from smoke.static.python.making import says


class Meanings(Protocol):
    """What names stand for where a statement stands: see `Bindings`."""

    def text(self, node: ast.expr | None) -> str:
        """The text that an expression surely is; empty when that cannot be told."""

    def full(self, name: str) -> str:
        """A dotted name with its first part as it was imported."""

    def expression(self, node: ast.expr) -> ast.expr:
        """What a name stands for."""


def wanted_by(node: ast.Call, name: str, known: Meanings, readers: set[str]) -> str:
    """The variable that a call cannot do without: `int(getenv())`, `getenv().split()`, decouple's `config()`."""
    first = node.args[0] if node.args else None
    if name == "decouple.config" and len(node.args) == 1 and not any(each.arg == "default" for each in node.keywords):
        return known.text(first)
    if name.endswith(".config.from_envvar") and says(node, "silent", 1) is False:
        return known.text(first)
    owner = name.partition(".")[0] if isinstance(node.func, ast.Name | ast.Attribute) else ""
    if owner in readers and len(node.args) == 1 and not node.keywords and not name.endswith(".read_env"):
        return known.text(first)
    inner = first if name in ("int", "float") and len(node.args) == 1 else None
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call):
        inner = node.func.value
    if not isinstance(inner, ast.Call) or len(inner.args) != 1 or inner.keywords:
        return ""
    reads = known.full(dotted(inner.func)) in ("os.getenv", "os.environ.get")
    return known.text(inner.args[0]) if reads else ""


def asserted_by(test: ast.expr, known: Meanings) -> str:
    """The variable that an assertion asks for: `assert os.getenv("X")`."""
    asked = known.expression(test) if isinstance(test, ast.Name) else test
    if not isinstance(asked, ast.Call) or len(asked.args) != 1 or asked.keywords:
        return ""
    reads = known.full(dotted(asked.func)) in ("os.getenv", "os.environ.get")
    return known.text(asked.args[0]) if reads else ""


def checked_by(test: ast.expr, body: list[ast.stmt], known: Meanings) -> str:
    """The variable without which a block ends the program: `if not os.getenv("X"): raise`."""
    last = body[-1]
    ends = isinstance(last, ast.Raise) or (
        isinstance(last, ast.Expr)
        and isinstance(last.value, ast.Call)
        and known.full(dotted(last.value.func)) in ("sys.exit", "exit", "quit", "os._exit")
    )
    if not ends:
        return ""
    asked: ast.expr | None = None
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        asked = test.operand
    elif isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Is):
        other = test.comparators[0]
        asked = test.left if isinstance(other, ast.Constant) and other.value is None else None
    return "" if asked is None else asserted_by(asked, known)
