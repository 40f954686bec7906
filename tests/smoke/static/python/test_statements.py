"""What statements say of a module: whether it works as a script, what it does to others, its calls."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.source import Source
from smoke.static.python.statements import StatementReader


def read(text: str, *, deep: bool = True) -> Source:
    """What the statements of a module say on Python 3.12."""
    source = Source("a.py")
    StatementReader(source, (3, 12), deep).read(ast.parse(text))
    return source


@pytest.mark.parametrize(
    ("text", "works"),
    [
        ("if __name__ == '__main__':\n    run()", True),
        ("while True:\n    pass", True),
        ("run()", True),
        ("app = Flask(__name__)", False),
        ("log = logging.getLogger(__name__)", False),
        ("x = run()", True),
        ("def f():\n    run()", False),
        ("class A:\n    x = 1", False),
        ("'words'", False),
        ("import a", False),
        ("match x:\n    case 1: ...", True),
    ],
)
def test_what_is_work_of_a_script(text: str, works: bool) -> None:
    """A script without any starts nothing: its container ends at once."""
    assert read(text).main is works


@pytest.mark.parametrize(
    "text",
    [
        "sys.path.append('x')",
        "sys.path = []",
        "site.addsitedir('x')",
        "__path__ = extend_path()",
        "sys.meta_path += [x]",
    ],
)
def test_what_changes_where_modules_are_looked_for(text: str) -> None:
    assert read(text).moves_path and not read(f"'{text[0]}'").moves_path


def test_attributes_that_are_given_to_others() -> None:
    source = read("import m\nm.a = 1\nm.b.c: int = 2\ndef late():\n    m.d = 3\n")
    assert source.given == {"a", "c"}


def test_an_import_by_a_plain_text_is_an_import() -> None:
    source = read("importlib.import_module('a.b')\n__import__('c')\nimport_module('.d')\nimport_module(name)\n")
    assert [each.module for each in source.imports] == ["a.b", "c"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("for a, b in x: ...", {"a", "b"}),
        ("with f() as (a, [b, *c]): ...", {"a", "b", "c"}),
        ("match x:\n    case {'k': a, **b}: ...\n    case [c, *d] as e: ...", {*"abcde"}),
        ("try: ...\nexcept E as a: ...", {"a"}),
        ("import a.b\nimport c as d\nfrom e import f", {"a", "d", "f"}),
        ("x.a = 1\ny[b] = 2", set()),
        ("if __name__ == '__main__':\n    a = 1", set()),
        ("if False:\n    a = 1\nelse:\n    b = 1", {"b"}),
    ],
)
def test_names_that_a_module_has_once_loaded(text: str, names: set[str]) -> None:
    assert read(text).names.keys() == names


def test_calls_in_functions_are_read_where_something_is_looked_for() -> None:
    text = "def main():\n    app.run(port=80)\n"
    assert read(text).calls == [(2, "app.run", {"port": 80})] and read(text, deep=False).calls == []


def test_a_call_that_spreads_may_give_any_port() -> None:
    assert read("app.run(**options)").calls[0][2]["**"] is True
