"""What has many fields is built by keyword: no type checker can see two `bytes`, or two texts, that changed places."""

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


def test_large_records_are_built_by_keyword() -> None:
    for room, most in MOST.items():
        assert not by_position(sorted((ROOT / room).rglob("*.py")), most)


def test_one_that_is_not_is_found(tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    path.write_text("One(1, 2, 3, 4, 5, 6, 7)\na.Two(1, 2, 3, 4, 5, 6, 7, 8)\nthree(1, 2, 3, 4, 5, 6, 7, 8)\n")
    assert by_position([path], 7) == ["one.py:2 Two"]
    assert by_position([path], 6) == ["one.py:1 One", "one.py:2 Two"]
