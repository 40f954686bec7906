"""Each module of the smoke checks has its own file of tests."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_module_has_a_file_of_tests_of_its_own() -> None:
    modules = {path.relative_to(ROOT / "smoke") for path in (ROOT / "smoke").rglob("*.py")}
    named = {str(each.with_suffix("")): each for each in modules if each.name != "__init__.py"}
    lacking = {
        name
        for name, path in named.items()
        if not (ROOT / "tests" / "smoke" / path.parent / f"test_{path.name}").is_file()
    }
    assert lacking == set(), "add tests/smoke/<the same folder>/test_<module>.py"
