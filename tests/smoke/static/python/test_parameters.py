"""The parameters of a function and its other own names: what a call gives them, and what they hide."""

from __future__ import annotations

import ast

from smoke.static.python.parameters import bound, misleading, own_names


def function(text: str) -> ast.FunctionDef:
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.FunctionDef)
    return node


def test_parameters_get_what_a_call_gives_and_else_their_defaults() -> None:
    given = function("def f(a, b=2, *, c=3): ...")
    call = ast.parse("f(7, c=8)").body[0].value  # type: ignore[attr-defined]
    found = bound(given, call)
    assert found is not None and {name: ast.unparse(value) for name, value in found.items()} == {
        "a": "7",
        "b": "2",
        "c": "8",
    }
    assert bound(given, ast.parse("f(**x)").body[0].value) is None  # type: ignore[attr-defined]
    without = bound(given, None)
    assert without is not None and without.keys() == {"b", "c"}


def test_a_function_that_renames_what_it_uses_misleads() -> None:
    assert own_names(function("def f(a, *b, c, **d):\n    e = 1\n    def g(): h = 1\n")) == {*"abcde"}
    assert misleading(function("def f(os): ..."), {"os": "os"}) and misleading(function("def f(): open = 1"), {})
    assert not misleading(function("def f(x): y = 1"), {"os": "os"})
