"""No six equal statements in a row stand twice in the code: what is the same twice is a function in one place.

Imports, docstrings and the fields of records do not count. A compound statement counts as its head, and then each of
those within it, so that a row may begin or end anywhere.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("lucid", "sim", "harness", "smoke", "images", "fuzz", "docs", "tests")
ROW = 6
_WITHIN = ("body", "orelse", "finalbody", "handlers", "cases")


class Line(NamedTuple):
    """A statement without those within it, and the line that it is on."""

    text: str
    number: int


def lines(tree: ast.Module) -> Iterator[list[Line]]:
    """The statements of each function and class on its own, and of the module, in their order."""
    waiting: list[ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef] = [tree]
    while waiting:
        owner = waiting.pop()
        found: list[Line] = []
        for statement in _inner(owner):
            if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                waiting.append(statement)
            elif not _declares(statement, owner):
                found.append(Line(_head(statement), statement.lineno))
        yield found


def _inner(node: ast.AST) -> Iterator[ast.stmt]:
    for field in _WITHIN:
        for each in getattr(node, field, ()):
            if isinstance(each, ast.stmt):
                yield each
            if not isinstance(each, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _inner(each)


def _declares(statement: ast.stmt, owner: ast.AST) -> bool:
    """Whether it is an import, a docstring or a field of a record."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return True
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return True
    return isinstance(owner, ast.ClassDef) and isinstance(statement, ast.AnnAssign | ast.Assign)


def _head(statement: ast.stmt) -> str:
    parts = {name: value for name, value in ast.iter_fields(statement) if name not in _WITHIN}
    return f"{type(statement).__name__} { ({name: _text(value) for name, value in parts.items()}) }"


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return ast.dump(value) if isinstance(value, ast.AST) else repr(value)


def twice(paths: Iterable[Path]) -> list[str]:
    """Where rows of equal statements begin, two or more places each."""
    places: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for path in paths:
        for within in lines(ast.parse(path.read_text(encoding="utf-8"))):
            for first in range(len(within) - ROW + 1):
                row = within[first : first + ROW]
                places[tuple(line.text for line in row)].append(f"{path.relative_to(ROOT)}:{row[0].number}")
    return [" = ".join(found) for found in places.values() if len(found) > 1]


def test_no_six_equal_statements_stand_twice() -> None:
    """In code and tests alike, and in both together; the trees of smoke's corpus are what is judged, and no code."""
    corpus = ROOT / "tests/smoke/corpus"
    paths = [path for each in ROOMS for path in sorted((ROOT / each).rglob("*.py")) if corpus not in path.parents]
    assert len(paths) > 1_000
    assert twice([*paths, *sorted(ROOT.glob("*.py"))]) == []


SAME = "    if a:\n        b(1)\n    for c in d:\n        e(c)\n    f = 2\n"


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (SAME + "    return f", SAME + "    return f", 1),
        (SAME + "    return f", SAME + "    return g", 0),
        (SAME, SAME, 0),
        ("    k = 1\n" + SAME + "    return 1", "    l = 2\n" + SAME + "    return 1", 1),
        ('    "Say."\n    import os\n' + SAME, '    "Say."\n    import os\n' + SAME, 0),
    ],
    ids=["six", "the last differs", "five", "in the middle", "no statements"],
)
def test_rows_are_found_wherever_they_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: str, other: str, found: int
) -> None:
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    (tmp_path / "a.py").write_text("def one():\n" + one)
    (tmp_path / "b.py").write_text("def other():\n" + other)
    assert len(twice([tmp_path / "a.py", tmp_path / "b.py"])) == found
