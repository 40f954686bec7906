"""Keys of dictionaries that are written out."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.literals import Literals, literal_of

MADE = "D = {'a': 1, 'b': 2}\n"


@pytest.mark.parametrize(
    ("more", "lacks"),
    [
        ("", True),
        ("D.get('x')\nD['a']\nfor k in D: pass\n'a' in D\n", True),
        ("D['c'] = 3\n", False),
        ("D.update(c=3)\n", False),
        ("fill(D)\n", False),
    ],
)
def test_a_key_is_lacking_only_where_nothing_changes_the_dictionary(more: str, lacks: bool) -> None:
    node = ast.parse("D['c']", mode="eval").body
    assert isinstance(node, ast.Subscript)
    found = Literals(ast.parse(f"{MADE}D['c']\n{more}"), {"D"}).lacks(node)
    assert found == (("D", "c", "'a', 'b'") if lacks else None)


def test_a_key_that_is_there_is_not_lacking() -> None:
    node = ast.parse("D['a']", mode="eval").body
    assert isinstance(node, ast.Subscript)
    assert Literals(ast.parse(MADE), {"D"}).lacks(node) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("D = {'a': 1}\n", True),
        ("D: dict = {'a': 1}\n", True),
        ("D = {}\nD = {'a': 1}\n", False),
        ("D = make()\n", False),
        ("E = {'a': 1}\n", False),
        ("D = {\n", False),
    ],
)
def test_a_literal_of_another_module_is_made_once(text: str, found: bool) -> None:
    assert (literal_of(text.encode(), "D") is not None) == found
