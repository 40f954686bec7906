"""Paths that a module spells out, worked out from its constants and its own place."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke.static.python.paths import CodePath, Paths, constants, statements


def place(text: str, before: str = "") -> CodePath | None:
    body = ast.parse(f"from pathlib import Path\nimport os\n{before}\n").body
    return Paths(body, imported={"Path": "pathlib.Path", "os": "os"}).place(ast.parse(text, mode="eval").body)


@pytest.mark.parametrize(
    ("text", "before", "absolute"),
    [
        ("'a/b'", "", "/srv/a/b"),
        ("'/a/../b'", "", "/b"),
        ("__file__", "", "/srv/app/m.py"),
        ("Path(__file__).parent / 'a'", "", "/srv/app/a"),
        ("Path(__file__).resolve().parents[1] / 'a'", "", "/srv/a"),
        ("os.path.join(os.path.dirname(__file__), 'a', 'b')", "", "/srv/app/a/b"),
        ("BASE / 'a'", "BASE = Path(__file__).parent", "/srv/app/a"),
        ("Path('a').joinpath('b')", "", "/srv/a/b"),
        ("str(Path('a').absolute())", "", "/srv/a"),
    ],
)
def test_a_path(text: str, before: str, absolute: str) -> None:
    found = place(text, before)
    assert found is not None and found.absolute("/srv/app/m.py", "/srv") == absolute


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("'~/a'", ""),
        ("''", ""),
        ("'a\\0b'", ""),
        ("get()", ""),
        ("NAME", ""),
        ("f'{x}/a'", ""),
        ("NAME", "NAME = 'a'\nNAME = 'b'"),
        ("NAME", "for NAME in x: ..."),
        ("NAME", "NAME = NAME"),
    ],
)
def test_what_cannot_be_told_is_none(text: str, before: str) -> None:
    """A name with two values may have either."""
    assert place(text, before) is None


@given(st.integers(0, 40))
def test_climbing_ends(levels: int) -> None:
    found = place("Path(__file__)" + ".parent" * levels)
    assert found is None or found.absolute("/a/b.py", "/").startswith("/")


def test_what_is_given_hides_what_the_module_has() -> None:
    outer = Paths(ast.parse("NAME = 'a'\nOTHER = 'b'").body)
    inner = outer.within([], {"NAME"}, {"NAME": ast.Constant("c")})
    for name, text in (("NAME", "c"), ("OTHER", "b")):
        found = inner.place(ast.Name(name))
        assert found is not None and found.text == text


def test_strings_and_statements_however_deep() -> None:
    assert [text for _, text in constants(ast.parse("['a', ('b', x)]", mode="eval").body)][:2] == ["a", "b"]
    body = ast.parse("if x:\n    a = 1\nelse:\n    with y:\n        b = 2\n").body
    assert sum(isinstance(each, ast.Assign) for each in statements(body)) == 2


@pytest.mark.parametrize(
    ("text", "variable", "below"),
    [
        ("os.environ['A']", "A", ""),
        ("os.getenv('A', 'x')", "A", ""),
        ("Path(os.environ['A'])", "A", ""),
        ("os.path.join(os.environ.get('A'), 'b')", "A", "b"),
    ],
)
def test_a_path_by_a_variable(text: str, variable: str, below: str) -> None:
    assert place(text) == CodePath(below, variable=variable)


@pytest.mark.parametrize("text", ["os.path.join('a', os.environ['B'])", "os.environ[NAME]", "os.environ.pop('A')"])
def test_a_variable_further_behind_is_not_followed(text: str) -> None:
    assert place(text) is None
