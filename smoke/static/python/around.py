"""What stands around a statement: whether it runs in the main module only, and which of its failures are taken."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct

from smoke.static.python.dotted import dotted

_TAKES = {
    "files": frozenset(
        {"OSError", "IOError", "FileNotFoundError", "FileExistsError", "PermissionError", "EnvironmentError"}
    ),
    "keys": frozenset({"KeyError", "LookupError"}),
}
_ALL = frozenset({"Exception", "BaseException"})
_CATCHES = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_ENDS = frozenset({"sys.exit", "exit", "quit", "os._exit"})


class Guards(Struct, frozen=True):
    """What stands around a statement."""

    main: bool = False
    takes: frozenset[str] = frozenset()


def taken(handler: ast.ExceptHandler) -> Iterator[str]:
    """Which kinds of failure a handler takes, so that loading goes on."""
    last = handler.body[-1]
    if isinstance(last, ast.Raise):
        return
    if handler.type is None:
        yield from _TAKES
        return
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {dotted(kind).rpartition(".")[2] for kind in kinds}
    for what, errors in _TAKES.items():
        if names & (errors | _ALL) or not names - {""}:
            yield what
    yield "other"


def catches_imports(handler: ast.ExceptHandler) -> bool:
    """Whether a handler goes on without what could not be imported."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    caught = any(kind is None or dotted(kind).rpartition(".")[2] in _CATCHES for kind in kinds)
    # One that raises again or ends the program goes on with nothing.
    last = handler.body[-1]
    ends = isinstance(last, ast.Expr) and isinstance(last.value, ast.Call) and dotted(last.value.func) in _ENDS
    return caught and not isinstance(last, ast.Raise) and not ends
