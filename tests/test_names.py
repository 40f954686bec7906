"""No two classes of the code have one name, but for those below: a name that means two things is read as one of them.

What stands here is the same thing by nature on both sides. The list only shrinks: a new namesake gets a name of its
own.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("lucid", "sim", "harness", "smoke", "images", "fuzz")

SAME_BY_NATURE = {
    "Disk": "the disk of a node, real and simulated",
    "DoubleVote": "two votes of one view: as the chain shows them, and as the fault that makes them",
    "Store": "the storage of a node, and the effect that writes to it",
}
"""The field's word for one thing that two rooms have, each in its own way."""

BESIDE_SMOKE = {
    "Budget": "figures that something is held to; a table of the manifest, by its name in the schema",
    "Finding": "what was found, which reports are made of; by its name in the schema of the report",
    "Judgment": "the outcome of a judge who has looked at all",
    "Manifest": "what someone declares of a whole",
    "Node": "a node of the network, simulated and as smoke live runs it",
    "Requirement": "the term of Python's packaging, and what a host has to have",
    "Service": "one of several programs that make up a node; by its name in the schema of the manifest",
    "Verdict": "what came out of one examination; by its name in the schema of the report",
}
"""In `smoke` and outside it: one word for one thing on both sides, or a name that a published schema has."""


def namesakes(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """Public classes of one name, and where they are."""
    places: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(path)
    return {name: found for name, found in places.items() if len(found) > 1}


def rooms_of(paths: Iterable[Path]) -> list[bool]:
    """Of each place, whether it is in `smoke`."""
    return [path.relative_to(ROOT).parts[0] == "smoke" for path in paths]


def test_no_two_classes_have_one_name() -> None:
    found = namesakes(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))
    outside = {name for name, paths in found.items() if rooms_of(paths).count(False) > 1}
    within = {name for name, paths in found.items() if rooms_of(paths).count(True) > 1}
    beside = {name for name, paths in found.items() if len(set(rooms_of(paths))) > 1}
    assert outside <= set(SAME_BY_NATURE)
    assert within == set()
    assert beside <= set(BESIDE_SMOKE)


def test_a_namesake_is_found(tmp_path: Path) -> None:
    for name, text in (("a", "class One: ...\nclass _Two: ..."), ("b", "def one():\n    class One: ..."), ("c", "")):
        (tmp_path / f"{name}.py").write_text(text)
    paths = sorted(tmp_path.glob("*.py"))
    assert namesakes(paths) == {"One": paths[:2]}
