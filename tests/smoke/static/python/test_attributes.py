"""Attributes of modules, as if they were imported by name."""

from __future__ import annotations

import ast

from smoke.static.python.attributes import attributes


def read(text: str) -> list[tuple[str, str, bool]]:
    return [
        (each.module, each.names[0], each.main) for each in attributes(ast.parse(text).body, text.encode(), (3, 12))
    ]


def test_each_kind_of_import_counts() -> None:
    assert read("import a\na.b\n") == [("a", "b", False)]
    assert read("import a.b\na.b.c\n") == [("a.b", "c", False)]
    assert read("from a import b\nx = b.c\n") == [("a.b", "c", False)]
    assert read("import a\nif __name__ == '__main__':\n    a.b\n") == [("a", "b", True)]


def test_what_may_not_run_or_is_made_otherwise_tells_nothing() -> None:
    assert read("import a\nf = lambda: a.b\n") == []
    assert read("import a\na = 1\na.b\n") == []
    assert read("import a\nx = y and a.b\n") == []
