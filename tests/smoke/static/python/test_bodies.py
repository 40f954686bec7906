"""The statements of a body: all that is in them, and which of them leave it."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.bodies import leaves


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        *[("raise X", True), ("while 1:\n    pass", True), ("while 1:\n    break", False), ("if a:\n    return", True)],
        *[("def f():\n    return", False), ("x = 1", False), ("if a:\n    exit()", True)],
    ],
)
def test_what_ends_the_statements_behind_it(text: str, ends: bool) -> None:
    assert leaves(ast.parse(text).body[0], {}) is ends
