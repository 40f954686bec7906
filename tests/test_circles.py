"""No two files of the code import each other, by whatever way round; only types may be named of what is above.

An import in a function counts; one under `TYPE_CHECKING` does not run, and is a circle for the reader alone. Those that
there are name what a part belongs to: a node its world, a data chain its node.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("lucid", "sim", "harness", "smoke", "images", "fuzz", "docs")

OWNERS = {"sim.node", "sim.world"}
"""The files whose types others may name though these import them. The list only shrinks."""

Imports = dict[str, set[str]]


class Found(NamedTuple):
    """Of each module which others it imports when it runs, and which it names for type checkers too."""

    runs: Imports
    named: Imports


def imports(root: Path, rooms: Iterable[str]) -> Found:
    """Those of all modules in some rooms."""
    paths = [path for room in rooms for path in (root / room).rglob("*.py")]
    known = {".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}
    found = Found({}, {})
    for module, path in known.items():
        each = list(_imported(ast.parse(path.read_text("utf-8")), known, True))
        found.named[module] = {name for name, _ in each} - {module}
        found.runs[module] = {name for name, runs in each if runs} - {module}
    return found


def _imported(node: ast.AST, known: Collection[str], runs: bool) -> Iterator[tuple[str, bool]]:
    """What is imported at or below a node, and whether it is when that runs."""
    for each in ast.iter_child_nodes(node):
        if isinstance(each, ast.If) and ast.unparse(each.test) == "TYPE_CHECKING":
            yield from _imported(ast.Module(each.body, []), known, False)
            yield from _imported(ast.Module(each.orelse, []), known, runs)
        elif isinstance(each, ast.ImportFrom):
            module = each.module or ""
            names = {f"{module}.{alias.name}" for alias in each.names}
            yield from ((name if name in known else module, runs) for name in names if name in known or module in known)
        elif isinstance(each, ast.Import):
            yield from ((alias.name, runs) for alias in each.names if alias.name in known)
        else:
            yield from _imported(each, known, runs)


def without(found: Found, owners: set[str]) -> Imports:
    """All that is imported, but for what is named of owners for type checkers alone."""
    return {module: names - (owners - found.runs[module]) for module, names in found.named.items()}


def circle(found: Imports) -> list[str]:
    """The modules of one circle; none where there is none."""
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.fixture(scope="module")
def found() -> Found:
    """Those of the code."""
    return imports(ROOT, ROOMS)


def test_no_files_import_each_other(found: Found) -> None:
    assert len(found.runs) > 500
    assert circle(found.runs) == []


def test_types_are_named_of_owners_alone(found: Found) -> None:
    """Without these there is no circle for a reader either, and with any of them there is one."""
    assert circle(without(found, OWNERS)) == []
    for owner in OWNERS:
        assert circle(without(found, OWNERS - {owner})), f"{owner} is in none"


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("from here import one", True),
        ("import here.one", True),
        ("def later():\n    from here.one import thing", True),
        ("if TYPE_CHECKING:\n    from here.one import Thing", False),
        ("if TYPE_CHECKING:\n    Thing = object\nelse:\n    from here.one import Thing", True),
        ("import elsewhere", None),
    ],
)
def test_a_circle_is_found(tmp_path: Path, text: str, runs: bool | None) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here/__init__.py").write_text("")
    (tmp_path / "here/one.py").write_text("from here.two import two")
    (tmp_path / "here/two.py").write_text(text)
    both = imports(tmp_path, ["here"])
    assert bool(circle(both.runs)) is (runs is True)
    assert bool(circle(both.named)) is (runs is not None)
