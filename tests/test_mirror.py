"""Each module has a file of tests of its own name, at its own place below `tests`: a new one comes with its tests."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = (
    "smoke",
    "lucid/api",
    "lucid/chain",
    "lucid/cli",
    "lucid/client",
    "lucid/deploy",
    "lucid/ledger",
    "lucid/poot",
    "lucid/services",
    "lucid/storage",
)
"""`lucid/machines`, `sim`, `harness`, `images` and `fuzz` are tested by what they do together."""

EXEMPT = {
    "lucid/services/chain/chainwords": "two records that manager and engine share: `test_noderoutes` reads both",
}
"""Modules that have nothing to be tested alone, and why."""


def lacking(root: Path, rooms: Iterable[str]) -> set[str]:
    """The modules of some rooms that have no file of tests where it should be."""
    return {
        str(path.relative_to(root).with_suffix(""))
        for room in rooms
        for path in (root / room).rglob("*.py")
        if not path.name.startswith("__") and not _tests_of(root, path).is_file()
    }


def _tests_of(root: Path, module: Path) -> Path:
    parts = module.relative_to(root).parts
    return root.joinpath("tests", *parts[parts[0] == "lucid" : -1], f"test_{module.name}")


def test_each_module_has_a_file_of_tests_of_its_own() -> None:
    assert lacking(ROOT, ROOMS) - set(EXEMPT) == set(), "add tests/<the same folder>/test_<module>.py"


def test_what_is_exempt_has_none() -> None:
    assert set(EXEMPT) - lacking(ROOT, ROOMS) == set(), "it is there, or its module is gone: delete the line"


@pytest.mark.parametrize(
    ("tests", "found"),
    [
        ("tests/room/inner/test_one.py", set()),
        ("tests/room/test_one.py", {"lucid/room/inner/one"}),
        ("tests/lucid/room/inner/test_one.py", {"lucid/room/inner/one"}),
    ],
)
def test_a_module_without_its_tests_is_found(tmp_path: Path, tests: str, found: set[str]) -> None:
    for name in ("lucid/room/inner/one.py", "lucid/room/__init__.py", tests):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert lacking(tmp_path, ["lucid/room"]) == found
