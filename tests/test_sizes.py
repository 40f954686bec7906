"""Every function of the product fits a screen, and every file is a few hundred lines: what is longer has two nouns.

None is exempt. What cannot be shorter is split where a second noun is, and not where the line count says.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("lucid", "sim", "harness", "smoke", "images", "fuzz", "docs")
LINES_OF_A_FUNCTION = 45
LINES_OF_A_FILE = 400


def too_long(paths: Iterable[Path]) -> list[str]:
    """Files and functions that are longer; a function counts from its `def` to its last line."""
    found = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        if (lines := text.count("\n")) > LINES_OF_A_FILE:
            found.append(f"{path.name} has {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                if (lines := node.end_lineno - node.lineno + 1) > LINES_OF_A_FUNCTION:
                    found.append(f"{path.name}:{node.lineno} {node.name} has {lines} lines")
    return found


def test_functions_fit_a_screen_and_files_are_one_noun() -> None:
    paths = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    assert len(paths) > 100
    assert not too_long([*paths, ROOT / "noxfile.py"])


def test_what_is_too_long_is_found(tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    body = "    pass\n" * (LINES_OF_A_FUNCTION - 1)
    path.write_text(f"def fits():\n{body}class One:\n  async def long(self):\n{body}    pass\n")
    assert too_long([path]) == ["one.py:47 long has 46 lines"]
    path.write_text("\n" * LINES_OF_A_FILE)
    assert not too_long([path])
    path.write_text("\n" * (LINES_OF_A_FILE + 1))
    assert too_long([path]) == ["one.py has 401 lines"]
