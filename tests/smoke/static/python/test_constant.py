"""The constant that an expression is, as far as its words tell."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke.static.python.constant import beginning, constant, is_true


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8080", 8080),
        ("PORT", 1),
        ("OTHER", None),
        ("int('80')", 80),
        ("int('x')", "x"),
        ("int(os.environ.get('PORT', '80'))", 80),
        ("os.getenv('PORT')", None),
        ("os.environ['PORT']", None),
        ("os.getenv('PORT') or 80", 80),
        ("f'0.0.0.0:{PORT}'", "0.0.0.0:1"),
        ("f'0.0.0.0:{OTHER}'", None),
        ("['a']", "a"),
        ("['a', 'b']", None),
        ("1 + 1", None),
    ],
)
def test_constants(text: str, value: object) -> None:
    assert constant(expression(text), {"PORT": 1}) == value


@given(st.one_of(st.integers(), st.text(), st.booleans(), st.none()))
def test_a_literal_is_itself(value: object) -> None:
    assert constant(ast.Constant(value), {}) == value  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "found"), [("'a.b'", "a.b"), ("f'a.{x}.c'", "a."), ("f'{x}a'", ""), ("x", ""), ("1", ""), ("f''", "")]
)
def test_the_beginning_of_a_text(text: str, found: str) -> None:
    assert beginning(expression(text)) == found


def test_nothing_begins_with_nothing() -> None:
    assert beginning(None) == ""


@pytest.mark.parametrize(("text", "true"), [("True", True), ("False", False), ("1", False), ("TRUE", False)])
def test_true_is_the_word_alone(text: str, true: bool) -> None:
    assert is_true(expression(text)) is true and not is_true(None)
