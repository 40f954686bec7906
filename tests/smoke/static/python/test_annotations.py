"""Expressions that a version of Python cannot evaluate."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.annotations import refused_annotation, refused_expression


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


@pytest.mark.parametrize(
    ("text", "minor", "refused"),
    [
        ("int | None", 9, True),
        ("int | None", 10, False),
        ("Own | Other", 9, False),
        ("list[int]", 8, True),
        ("list[int]", 9, False),
        ("List[int]", 8, False),
        ("'Own' | None", 13, True),
        ("'Own | None'", 13, False),
        ("Optional['Own']", 8, False),
    ],
)
def test_annotations(text: str, minor: int, refused: bool) -> None:
    """Of classes that nobody knows it cannot be told: they may have `|` of their own."""
    assert bool(refused_annotation(expression(text), (3, minor))) is refused


@pytest.mark.parametrize(
    ("text", "minor", "says"),
    [
        ("{} | x", 8, "needs Python 3.9"),
        ("{} | x", 9, ""),
        ("int | str", 9, "needs Python 3.10"),
        ("a | b", 9, ""),
        ("dict[str, int]", 8, "needs Python 3.9"),
        ("collections.abc.Iterator[int]", 8, "needs Python 3.9"),
        ("zip(a, b, strict=True)", 9, "zip(strict=) needs Python 3.10"),
        ("zip(a, b, strict=True)", 10, ""),
        ("own.zip(a, strict=True)", 9, ""),
        ("dataclasses.dataclass(slots=True)", 9, "slots"),
    ],
)
def test_expressions(text: str, minor: int, says: str) -> None:
    found = refused_expression(expression(text), (3, minor), lambda name: name)
    assert says in found and bool(says) == bool(found)
