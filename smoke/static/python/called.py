"""Functions of a module's own that run as it is loaded, since it calls them itself."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence

from smoke.static.python.conditions import dotted
from smoke.static.python.nodes import below, children
from smoke.static.python.paths import statements
from smoke.static.regex import regex

Function = ast.FunctionDef | ast.AsyncFunctionDef
_RUNNERS = frozenset({"asyncio.run", "anyio.run", "trio.run", "uvloop.run"})
_ENDS = frozenset({"sys.exit", "exit", "quit", "os._exit"})
_READ_BY_NAME = frozenset({"open", "int", "float", "str"})
"""Builtins that mean nothing else to those who read a function."""
_GLOBAL = regex(rb"\bglobal[ \t]+([\w, \t]+)")
_NESTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


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


def run_by(node: ast.Call, name: str) -> ast.expr | None:
    """The coroutine, or the function of one, that a call like `asyncio.run` runs."""
    return node.args[0] if name in _RUNNERS and node.args else None


def own_names(function: Function) -> set[str]:
    """Names that are a function's own: its parameters and what it assigns; not what it imports."""
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    stored = {
        each.id for each in within(function.body) if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load)
    }
    return {each.arg for each in every if each is not None} | stored


def misleading(function: Function, imported: dict[str, str]) -> bool:
    """Whether a function gives another meaning to names that its readers go by."""
    return bool(own_names(function) & (imported.keys() | _READ_BY_NAME))


def bound(function: Function, call: ast.Call | None) -> dict[str, ast.expr] | None:
    """What each parameter gets by a call, defaults too; none where the call spreads what cannot be told."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    found: dict[str, ast.expr] = {}
    if arguments.defaults:
        for each, value in zip(positional[-len(arguments.defaults) :], arguments.defaults, strict=True):
            found[each.arg] = value
    for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            found[each.arg] = default
    if call is None:
        return found
    if any(isinstance(each, ast.Starred) for each in call.args) or any(each.arg is None for each in call.keywords):
        return None
    found |= {each.arg: value for each, value in zip(positional, call.args, strict=False)}
    return found | {each.arg: each.value for each in call.keywords if each.arg is not None}
