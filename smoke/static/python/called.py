"""Functions of a module's own that run as it is loaded, since it calls them itself."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from smoke.static.python.bodies import within
from smoke.static.python.dotted import dotted
from smoke.static.python.nodes import below
from smoke.static.python.paths import statements
from smoke.static.regex import regex

Function = ast.FunctionDef | ast.AsyncFunctionDef
_RUNNERS = frozenset({"asyncio.run", "anyio.run", "trio.run", "uvloop.run"})
_GLOBAL = regex(rb"\bglobal[ \t]+([\w, \t]+)")


def plain_functions(parsed: ast.Module, data: bytes, plain: set[str]) -> dict[str, Function]:
    """Functions at the top that a call of their name surely runs: made once, not decorated, and no generators."""
    yields = b"yield" in data
    return {
        node.name: node
        for node in parsed.body
        if isinstance(node, Function)
        and node.name in plain
        and all(_remembers(each) for each in node.decorator_list)
        and not (yields and any(isinstance(each, ast.Yield | ast.YieldFrom) for each in within(node.body)))
    }


def _remembers(decorator: ast.expr) -> bool:
    """Whether a decorator only keeps what a first call gives."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return dotted(called) in ("lru_cache", "cache", "functools.lru_cache", "functools.cache")


def plain_names(parsed: ast.Module, data: bytes) -> set[str]:
    """Names at the top of a module that are made once, and by no function."""
    made = Counter(name for node in statements(parsed.body) for name in _names(node))
    shared = {name.strip() for line in _GLOBAL.findall(data) for name in line.decode("utf-8", "replace").split(",")}
    return {name for name, times in made.items() if times == 1} - shared


def _names(node: ast.stmt) -> Iterator[str]:
    """Names that a statement itself makes."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
        case ast.Import() | ast.ImportFrom():
            yield from (each.asname or each.name.partition(".")[0] for each in node.names)
        case ast.Assign(targets=targets):
            yield from _stored(targets)
        case ast.AnnAssign() | ast.AugAssign() | ast.For():
            yield from _stored([node.target])
        case ast.With(items=items):
            yield from _stored([each.optional_vars for each in items if each.optional_vars is not None])


def _stored(targets: list[ast.expr]) -> Iterator[str]:
    return (each.id for target in targets for each in below(target) if isinstance(each, ast.Name))


def run_by(node: ast.Call, name: str) -> ast.expr | None:
    """The coroutine, or the function of one, that a call like `asyncio.run` runs."""
    return node.args[0] if name in _RUNNERS and node.args else None
