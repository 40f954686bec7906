"""Apps that uvicorn refuses in the form in which a program hands them over."""

from __future__ import annotations

import ast

from smoke.static.python.bindings import Bindings
from smoke.static.python.constant import is_true
from smoke.static.python.dotted import dotted

_READS = frozenset({"os.getenv", "os.environ.get"})


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
    if _several(told.get("workers"), bindings) or is_true(told.get("reload")):
        return "uvicorn.run is given an app and several workers, or to reload: it takes the app as text, and ends"
    return ""


def _several(node: ast.expr | None, bindings: Bindings) -> bool:
    """Whether a number of workers is more than one, by a constant or by the default of a variable."""
    match node:
        case ast.Constant(value=int(count)):
            return count > 1
        case ast.Call(func=function, args=[ast.Call(args=[_, ast.Constant(value=default)]) as read]):
            reads = dotted(function) == "int" and bindings.full(dotted(read.func)) in _READS
            return reads and str(default).isdigit() and int(str(default)) > 1
    return False
