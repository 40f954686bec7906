"""How a program starts its server, and whether it stays: apps in the wrong form, threads that end with it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from smoke.static.python.bindings import Bindings
from smoke.static.python.conditions import call_name, dotted
from smoke.static.python.nodes import below

_READS = frozenset({"os.getenv", "os.environ.get"})
_STARTS = ("start", "loop_start")
_KEEPS = (ast.While, ast.AsyncFor, ast.Try, ast.TryStar, ast.Match)
_ENDING = frozenset({"print", "echo", "info", "debug", "warning"})
"""Calls that end at once, behind which nothing keeps a program alive either."""


def refused_app(node: ast.Call, name: str, bindings: Bindings) -> str:
    """Why uvicorn refuses an app: with several workers, or to reload, it takes its name alone."""
    first = node.args[0] if node.args else None
    if name != "uvicorn.run" or not isinstance(first, ast.Name) or bindings.text(first):
        return ""
    if not isinstance(bindings.expression(first), ast.Call) and first.id not in {
        *bindings.imported,
        *bindings.relative,
    }:
        return ""
    told = {each.arg: each.value for each in node.keywords}
    if _several(told.get("workers"), bindings) or _is_true(told.get("reload")):
        return "uvicorn.run is given an app and several workers, or to reload: it takes the app as text, and ends"
    return ""


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _several(node: ast.expr | None, bindings: Bindings) -> bool:
    """Whether a number of workers is more than one, by a constant or by the default of a variable."""
    match node:
        case ast.Constant(value=int(count)):
            return count > 1
        case ast.Call(func=function, args=[ast.Call(args=[_, ast.Constant(value=default)]) as read]):
            reads = dotted(function) == "int" and bindings.full(dotted(read.func)) in _READS
            return reads and str(default).isdigit() and int(str(default)) > 1
    return False


def ends_with_its_threads(body: Sequence[ast.stmt], text: bytes) -> int:
    """The line of a last statement that starts a thread which ends with the program; 0 where something may stay."""
    last = next((node for node in reversed(body) if not _ends_at_once(node)), None)
    call = last.value if isinstance(last, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return 0
    owner, method = dotted(call.func.value), call.func.attr
    other = text.count(b".start(") + text.count(b".loop_start(") + text.count(b".submit(") + text.count(b".run(")
    if other != 1:
        return 0
    known = (method == "loop_start" and b"paho" in text) or (method == "start" and owner in _daemons(body))
    return call.lineno if known else 0


def _daemons(body: Sequence[ast.stmt]) -> set[str]:
    """Names of all threads in statements that end with the program."""
    return {name for node in below(ast.Module([*body], [])) for name in _daemon(node)}


def _ends_at_once(node: ast.stmt) -> bool:
    value = node.value if isinstance(node, ast.Expr) else None
    plain = isinstance(value, ast.Constant) or (
        isinstance(value, ast.Call) and call_name(value).rpartition(".")[2] in _ENDING
    )
    return plain or isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom)


def _daemon(node: ast.AST) -> list[str]:
    """Names of threads that end with the program, and of schedulers whose thread does."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call) or len(node.targets) != 1:
        return []
    made = call_name(node.value).rpartition(".")[2]
    told = {each.arg: each.value for each in node.value.keywords}
    ends = (made == "Thread" and _is_true(told.get("daemon"))) or (
        made == "BackgroundScheduler" and "daemon" not in told
    )
    return [dotted(node.targets[0])] if ends else []
