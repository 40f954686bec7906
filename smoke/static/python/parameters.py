"""The parameters of a function and its other own names: what a call gives them, and what they hide."""

from __future__ import annotations

import ast

from smoke.static.python.bodies import within
from smoke.static.python.called import Function

_READ_BY_NAME = frozenset({"open", "int", "float", "str"})
"""Builtins that mean nothing else to those who read a function."""


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
