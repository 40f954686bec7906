"""A compiled wheel: made only where it is asked for, of modules that are there and that the compiler knows."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from compiled_build import WANTED, CompilationFailed, CompiledModules, compile_modules

ROOT = Path(__file__).parents[1]
HOOK = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"][
    "hooks"
]
MODULES: list[str] = HOOK["custom"]["modules"]
STRUCTS = {"Record", "Struct"}


def initialized(version: str) -> dict[str, Any]:
    """What the hook makes of the data of a build."""
    data: dict[str, Any] = {"force_include": {}, "pure_python": True}
    nothing: Any = None
    CompiledModules(str(ROOT), HOOK["custom"], nothing, nothing, "dist", "wheel").initialize(version, data)
    return data


@pytest.mark.parametrize("said", [None, "", "0"])
def test_a_wheel_is_pure_unless_whoever_builds_says_otherwise(
    said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(WANTED, raising=False) if said is None else monkeypatch.setenv(WANTED, said)
    assert initialized("standard") == {"force_include": {}, "pure_python": True}


def test_an_editable_install_is_never_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WANTED, "1")
    with pytest.raises(CompilationFailed, match="unset LUCID_MYPYC"):
        initialized("editable")


@pytest.mark.parametrize("module", MODULES)
def test_each_compiled_module_is_there_and_has_no_struct(module: str) -> None:
    tree = ast.parse((ROOT / module).read_text("utf-8"))
    bases = {
        base.id
        for each in ast.walk(tree)
        if isinstance(each, ast.ClassDef)
        for base in each.bases
        if isinstance(base, ast.Name)
    }
    assert not bases & STRUCTS, "mypyc takes a struct for a class of its own"


@pytest.mark.slow
def test_a_module_is_compiled_in_place_and_what_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "room/__init__.py").touch()
    (tmp_path / "room/twice.py").write_text("def twice(number: int) -> int:\n    return 2 * number\n", "utf-8")
    made = compile_modules(tmp_path, ["room/twice.py"])
    module = next(each for each in made if each.startswith("room/twice."))
    code = "from room import twice; print(twice.twice(21), twice.__file__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["42", str(tmp_path / module)]
    (tmp_path / "room/wrong.py").write_text("def half(number: int) -> str:\n    return number\n", "utf-8")
    with pytest.raises(CompilationFailed, match=r"wrong\.py:2"):
        compile_modules(tmp_path, ["room/wrong.py"])
