"""What calls parse as a module is loaded, and from which file."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.parsing import parsed_form, read_path
from smoke.static.python.paths import Paths


def call(text: str) -> ast.Call:
    found = ast.parse(text, mode="eval").body
    assert isinstance(found, ast.Call)
    return found


@pytest.mark.parametrize(
    ("text", "form"),
    [("json.load(f)", "JSON"), ("tomllib.loads(t)", "TOML"), ("json.load(f, cls=X)", ""), ("yaml.load(f)", "")],
)
def test_forms_that_are_strict(text: str, form: str) -> None:
    node = call(text)
    assert parsed_form(node, ast.unparse(node.func)) == form


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("load(open('a'))", "'a'"),
        ("load(open('a').read())", "'a'"),
        ("load(Path('a').read_text())", "Path('a')"),
        ("load(f)", "'w'"),
        ("load(other)", None),
        ("load(get())", None),
    ],
)
def test_the_file_whose_text_is_given(text: str, path: str | None) -> None:
    found = read_path(call(text), Paths([]), {"f": call("open('w')")})
    assert (ast.unparse(found) if found is not None else None) == path
