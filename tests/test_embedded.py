"""Programs that stand as text in the code, for another process or a container, import what there is."""

from __future__ import annotations

import ast
import importlib
import warnings
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("lucid", "sim", "harness", "smoke", "images", "fuzz")


def programs(source: str) -> Iterator[ast.Module]:
    """The texts of a module that are programs with imports, other than what stands in front of it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "import " in node.value:
            try:
                with warnings.catch_warnings(action="ignore"):
                    yield ast.parse(node.value)
            except SyntaxError:
                continue


def missing(program: ast.Module, rooms: tuple[str, ...] = ROOMS) -> set[str]:
    """What a program imports of these packages, and what is not there."""
    found = set()
    for node in ast.walk(program):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in rooms:
            wanted = [(node.module, each.name) for each in node.names]
        elif isinstance(node, ast.Import):
            wanted = [(each.name, "") for each in node.names if each.name.partition(".")[0] in rooms]
        else:
            continue
        for module, name in wanted:
            try:
                there = importlib.import_module(module)
            except ModuleNotFoundError:
                found.add(module)
                continue
            if name and not hasattr(there, name):
                found.add(f"{module}.{name}")
    return found


def test_what_an_embedded_program_imports_is_there() -> None:
    count, lost = 0, {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for program in programs(path.read_text("utf-8")):
                count += 1
                if gone := missing(program):
                    lost[str(path.relative_to(ROOT))] = gone
    assert lost == {} and count >= 8


def test_what_is_gone_is_found() -> None:
    text = 'CODE = """\nfrom lucid.chain.hashing import domain, nothing\nimport lucid.chain.gone, os\n"""\n'
    [program] = programs(text)
    assert missing(program) == {"lucid.chain.hashing.nothing", "lucid.chain.gone"}
