"""What has many fields is built by keyword, and no function takes many arguments by position: no type checker can see
two `bytes`, or two texts, that changed places."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST = {"lucid": 7, "sim": 7, "harness": 7, "images": 7, "fuzz": 7, "smoke": 4}
"""Arguments by position, by room."""

EXEMPT = {
    "Check": "a row of a table: what it is called, how bad, what it says, what it means, what to do; all of them alike",
    "Volley": "it takes what a `Flight` takes as `*flight`, which has no keywords",
}

MOST_TAKEN = 6
"""Arguments that a function may take by position, besides its object."""

HOT = {"Flight": "the simulator makes one for each message, and `Volley` for each round of them: a keyword costs time"}


def by_position(paths: Iterable[Path], most: int) -> list[str]:
    """Where a class is called with more arguments by position, of which those of a star are not known."""
    found = []
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and len(node.args) > most:
                name = ast.unparse(node.func).rpartition(".")[2]
                if name[:1].isupper() and name not in EXEMPT:
                    found.append(f"{path.name}:{node.lineno} {name}")
    return found


def takes_many(paths: Iterable[Path]) -> list[str]:
    """Functions that take more arguments by position, of which those of a star are not counted."""
    found = []
    for path in paths:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        hot = [each for each in ast.walk(tree) if isinstance(each, ast.ClassDef) and {each.name, *bases(each)} & {*HOT}]
        exempt = {id(method) for each in hot for method in each.body}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and id(node) not in exempt:
                taken = [*node.args.posonlyargs, *node.args.args]
                taken = taken[taken[:1] != [] and taken[0].arg in ("self", "cls") :]
                if len(taken) > MOST_TAKEN:
                    found.append(f"{path.name}:{node.lineno} {node.name} takes {len(taken)}")
    return found


def bases(kind: ast.ClassDef) -> set[str]:
    """The names of a class's bases."""
    return {ast.unparse(each) for each in kind.bases}


def test_no_function_takes_many_arguments_by_position() -> None:
    assert not takes_many(path for room in MOST for path in sorted((ROOT / room).rglob("*.py")))


def test_one_that_takes_many_is_found(tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    path.write_text(
        "def few(a, b, c, d, e, f, *, g): ...\n"
        "class One:\n"
        "    def method(self, a, b, c, d, e, f): ...\n"
        "    async def many(self, a, b, c, d, e, f, g=1): ...\n"
        "class Volley(Flight):\n"
        "    def __init__(self, a, b, c, d, e, f, g): ...\n"
    )
    assert takes_many([path]) == ["one.py:4 many takes 7"]


def test_large_records_are_built_by_keyword() -> None:
    for room, most in MOST.items():
        assert not by_position(sorted((ROOT / room).rglob("*.py")), most)


def test_one_that_is_not_is_found(tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    path.write_text("One(1, 2, 3, 4, 5, 6, 7)\na.Two(1, 2, 3, 4, 5, 6, 7, 8)\nthree(1, 2, 3, 4, 5, 6, 7, 8)\n")
    assert by_position([path], 7) == ["one.py:2 Two"]
    assert by_position([path], 6) == ["one.py:1 One", "one.py:2 Two"]
