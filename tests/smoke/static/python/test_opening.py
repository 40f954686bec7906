"""What calls open as a module is loaded."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.effects import Use
from smoke.static.python.opening import log_files, opened_by
from smoke.static.python.paths import Paths


def call(text: str) -> ast.Call:
    found = ast.parse(text, mode="eval").body
    assert isinstance(found, ast.Call)
    return found


@pytest.mark.parametrize(
    ("text", "opened"),
    [
        ("open('a')", [("'a'", Use.READ)]),
        ("open(file='a', mode='ab')", [("'a'", Use.WRITE)]),
        ("open('a', how)", []),
        ("open('a', opener=o)", []),
        ("context.load_cert_chain('c', keyfile='k')", [("'c'", Use.READ), ("'k'", Use.READ)]),
        ("fastapi.staticfiles.StaticFiles(directory='s')", [("'s'", Use.SERVE)]),
        ("fastapi.staticfiles.StaticFiles(directory='s', check_dir=False)", []),
        ("sqlite3.connect('a.db')", [("'a.db'", Use.WRITE)]),
        ("sqlite3.connect(':memory:')", []),
        ("logging.basicConfig(filename='l')", [("'l'", Use.WRITE)]),
        ("logging.FileHandler('l')", [("'l'", Use.WRITE)]),
        ("logging.FileHandler('l', delay=True)", []),
        ("zipfile.ZipFile('a')", [("'a'", Use.READ)]),
        ("zipfile.ZipFile('a', 'w')", []),
        ("os.makedirs('d')", [("'d'", Use.MAKE)]),
        ("Path('a').read_text()", [("Path('a')", Use.READ)]),
        ("Path('a').touch()", [("Path('a')", Use.WRITE)]),
        ("own.read_text()", []),
    ],
)
def test_opened(text: str, opened: list[tuple[str, Use]]) -> None:
    node = call(text)
    name = ast.unparse(node.func)
    keywords = {each.arg: each.value for each in node.keywords if each.arg}
    found = opened_by(node, name, name.rpartition(".")[2], keywords, Paths([]))
    assert [(ast.unparse(each.path), each.use) for each in found] == opened


def test_files_of_a_literal_for_logging() -> None:
    text = "{'a': {'class': 'logging.FileHandler', 'filename': 'x'}, 'b': {'class': 'own.Handler', 'filename': 'y'}}"
    assert [each.place.text for each in log_files(ast.parse(text, mode="eval").body, Paths([]))] == ["x"]
