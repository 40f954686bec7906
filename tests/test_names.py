"""No two classes of the code have one name, but for those below: a name that means two things is read as one of them.

What stands here is the same thing by nature on both sides, or lies in `smoke`, which knows nothing of the rest, so that
nobody reads both at once. The list only shrinks: a new namesake gets a name of its own.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("lucid", "sim", "harness", "smoke", "images", "fuzz")

SAME_BY_NATURE = {
    "Around": "what is around a node's chunks, as two parts of one room see it",
    "Disk": "the disk of a node, real and simulated",
    "DoubleVote": "two votes of one view: as the chain shows them, and as the fault that makes them",
    "Store": "the storage of a node, and the effect that writes to it",
}
"""The field's word for one thing that two rooms have, each in its own way."""

BESIDE_SMOKE = frozenset((
    "Around", "Asked", "Budget", "Build", "Cause", "Entry", "Failure", "Finding", "Health", "Judgment", "Kind", "Known",
    "Manifest", "Named", "Node", "Part", "Problem", "Refusal", "Refused", "Requirement", "Service", "Step", "Story",
    "Trace", "Verdict",
))  # fmt: skip
"""In `smoke` and outside it."""

WITHIN_SMOKE = frozenset((
    "Answer", "Brought", "Image", "Lacking", "Listed", "Node", "Place", "Program", "Project", "Wanted",
))  # fmt: skip
"""Twice in `smoke`."""


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
    assert within <= WITHIN_SMOKE
    assert beside <= BESIDE_SMOKE


def test_a_namesake_is_found(tmp_path: Path) -> None:
    for name, text in (("a", "class One: ...\nclass _Two: ..."), ("b", "def one():\n    class One: ..."), ("c", "")):
        (tmp_path / f"{name}.py").write_text(text)
    paths = sorted(tmp_path.glob("*.py"))
    assert namesakes(paths) == {"One": paths[:2]}
