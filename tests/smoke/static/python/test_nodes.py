"""Nodes are gone through as `ast` itself does, but for those that hold nothing."""

from __future__ import annotations

import ast
import inspect

import pytest

from smoke.static.python.nodes import below, children

SINGLE = (ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop)
TEXTS = [
    "",
    "global_ = 1 + 2.0j\ndef f(a, *, b=1, c: int, **d): global x, y\n",
    "{1: 2, **three}\nmatch x:\n    case {'a': 1, **rest}: pass\n    case Thing(b=_): pass\n    case None: ...\n",
    "try:\n    pass\nexcept* (A, B) as e:\n    raise\nf'{a!r:>{b}}' + b'' if not c or d else lambda: (yield)\n",
    inspect.getsource(ast),
]


def holding(found: list[ast.AST]) -> list[ast.AST]:
    return [each for each in found if not isinstance(each, SINGLE)]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_tree_is_gone_through_as_by_ast(text: str) -> None:
    parsed = ast.parse(text)
    assert below(parsed) == holding(list(ast.walk(parsed)))


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_children_are_those_that_ast_names(text: str) -> None:
    for node in ast.walk(ast.parse(text)):
        assert children(node) == holding(list(ast.iter_child_nodes(node)))


def test_nodes_made_by_hand_are_gone_through_too() -> None:
    call = ast.Call(ast.Name("f", ast.Load()), [ast.Constant(1)], [])
    assert below(call) == [call, call.func, *call.args]
