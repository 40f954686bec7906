"""Texts that expressions come to, and the variables that may give other ones."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.texts import KnownTexts, ModuleTexts, TextTold, settings_of

TOP = "import os\nNAME = 'a'\nTWICE = 'b'\nTWICE = 'c'\n"


def told(expression: str, settings: KnownTexts | None = None) -> TextTold | None:
    """What an expression comes to behind these lines."""
    texts = ModuleTexts(ast.parse(TOP), settings or KnownTexts())
    return texts.told(ast.parse(expression, mode="eval").body)


@pytest.mark.parametrize(
    ("expression", "text", "variables"),
    [
        ("'x'", "x", ()),
        ("5432", "5432", ()),
        ("NAME", "a", ()),
        ("os.getenv('X', 'y')", "y", ("X",)),
        ("os.getenv('X') or 'y'", "y", ("X",)),
        ("f'{NAME}:{other}'", "a:%", ()),
    ],
)
def test_a_text_is_told(expression: str, text: str, variables: tuple[str, ...]) -> None:
    assert told(expression) == TextTold(text, variables)


@pytest.mark.parametrize("expression", ["TWICE", "unknown", "os.getenv('X')", "call('x')", "[NAME]"])
def test_what_cannot_be_told_is_not(expression: str) -> None:
    assert told(expression) is None


def test_names_of_other_modules_are_known_where_one_gives_them_once() -> None:
    known = settings_of({"one": b"DB_URL = 'p'\nHOST = 'h'", "other": b"HOST = 'i'"})
    assert told("DB_URL", known) == TextTold("p") and told("config.DB_URL", known) == TextTold("p")
    assert told("HOST", known) is None
