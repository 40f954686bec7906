"""Functions that an app has run when a server starts it, before it serves anything: lifespans and start-up hooks."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from smoke.static.python.bindings import Bindings
from smoke.static.python.called import Function
from smoke.static.python.dotted import dotted
from smoke.static.python.nodes import children

_APPS = frozenset(
    [
        *["fastapi.FastAPI", "fastapi.applications.FastAPI", "starlette.applications.Starlette", "litestar.Litestar"],
        *["quart.Quart"],
    ]
)
"""Classes of apps whose hooks end the server when they raise."""
_MANAGERS = frozenset({"contextlib.asynccontextmanager", "contextlib.contextmanager"})


class StartHooks:
    """The hooks that a module gives to its apps."""

    def __init__(self, parsed: ast.Module, data: bytes, bindings: Bindings, plain: set[str]) -> None:
        self.bindings = bindings
        self.functions = {each.name: each for each in parsed.body if isinstance(each, Function) and each.name in plain}
        self.apps = {
            dotted(node.targets[0])
            for node in parsed.body
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and bindings.full(dotted(node.value.func)) in _APPS
        }
        self.events = b"lifespan" not in data
        """Whether handlers of events are run: an app with a lifespan has no use for them."""

    def given_by(self, node: ast.Call, name: str) -> Iterator[Function]:
        """The hooks that a call gives to an app."""
        told = {each.arg: each.value for each in node.keywords}
        if name in _APPS:
            lifespan = told.get("lifespan")
            found = self.functions.get(lifespan.id) if isinstance(lifespan, ast.Name) else None
            if found is not None and self._manages(found):
                yield found
            startup = told.get("on_startup")
            listed = startup.elts if isinstance(startup, ast.List | ast.Tuple) else []
            yield from self._plain(listed)
        owner, _, method = dotted(node.func).rpartition(".")
        handled = method == "add_event_handler" and owner in self.apps and self.events and len(node.args) == 2
        if handled and self.bindings.text(node.args[0]) == "startup":
            yield from self._plain(node.args[1:])

    def _manages(self, function: Function) -> bool:
        """Whether a function is a context manager and no more: what stands before its `yield` is run first."""
        marks = [self.bindings.full(dotted(each)) for each in function.decorator_list]
        return len(marks) == 1 and marks[0] in _MANAGERS

    def _plain(self, given: list[ast.expr]) -> Iterator[Function]:
        for each in given:
            found = self.functions.get(each.id) if isinstance(each, ast.Name) else None
            if found is not None and not found.decorator_list:
                yield found

    def is_hook(self, function: Function) -> bool:
        """Whether a decorator makes a function one that an app runs first."""
        if len(function.decorator_list) != 1:
            return False
        mark = function.decorator_list[0]
        called = mark if isinstance(mark, ast.Call) else None
        owner, _, name = dotted(called.func if called is not None else mark).rpartition(".")
        if owner not in self.apps or not self.events:
            return False
        if called is None:
            return name == "before_serving"
        return name == "on_event" and len(called.args) == 1 and self.bindings.text(called.args[0]) == "startup"


def begins(node: ast.stmt) -> bool:
    """Whether a statement hands over, by a `yield` in it, to what comes after the start."""
    pending: list[ast.AST] = [node]
    while pending:
        each = pending.pop()
        if isinstance(each, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            pending += children(each)
    return False
