"""What stands around a statement: whether it runs in the main module only, and which of its failures are taken."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from smoke.static.python.conditions import dotted

_TAKES = {
    "files": frozenset(
        {"OSError", "IOError", "FileNotFoundError", "FileExistsError", "PermissionError", "EnvironmentError"}
    ),
    "keys": frozenset({"KeyError", "LookupError"}),
}
_ALL = frozenset({"Exception", "BaseException"})


@dataclass(frozen=True)
class Around:
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
