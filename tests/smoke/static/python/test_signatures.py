"""Calls of a module's own functions and classes that surely raise."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.loading import read_effects


def failing(text: str) -> list[str]:
    return [each.name for each in read_effects(ast.parse(text), text.encode(), (3, 12)).failing]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def f(a): ...\nf()", "a"),
        ("def f(a): ...\nf(1)", ""),
        ("def f(a, b=1): ...\nf(1, 2, 3)", "3"),
        ("def f(*a): ...\nf(1, 2, 3)", ""),
        ("def f(*, a): ...\nf()", "a"),
        ("def f(a): ...\nf(b=1)", "without its argument a"),
        ("def f(**a): ...\nf(b=1)", ""),
        ("def f(a): ...\nf(*x)", ""),
        ("def f(a): ...\nf = other\nf()", ""),
        ("@wraps\ndef f(a): ...\nf()", ""),
        ("class A:\n    def __init__(self, a): ...\nA()", "a"),
        ("class A(B):\n    def __init__(self, a): ...\nA()", ""),
        ("class A:\n    x = 1\nA.y", "y"),
        ("class A:\n    x = 1\nA.x", ""),
        ("class A(B):\n    x = 1\nA.y", ""),
        ("class A:\n    x = 1\nA.y = 2\nA.y", ""),
        ("from enum import Enum\nclass E(Enum):\n    A = 1\nE.B", "B"),
        ("def f(a): ...\ntry:\n    f()\nexcept TypeError:\n    pass", ""),
    ],
)
def test_a_call_of_ones_own(text: str, says: str) -> None:
    found = failing(text)
    assert bool(found) == bool(says) and all(says in each for each in found)
