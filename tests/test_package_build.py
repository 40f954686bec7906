"""What packages have that no file of the tree is: their commit; compiled modules, where they are asked for."""

from __future__ import annotations

import ast
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest

from lucid.commit import RECORD, commit
from package_build import WANTED, CompilationFailed, PackageContents, compile_modules

ROOT = Path(__file__).parents[1]
HOOK = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"][
    "hooks"
]
MODULES: list[str] = HOOK["custom"]["modules"]
STRUCTS = {"Record", "Struct"}


def initialized(version: str, root: Path) -> dict[str, Any]:
    """What the hook makes of the data of a build."""
    data: dict[str, Any] = {"force_include": {}, "pure_python": True}
    nothing: Any = None
    PackageContents(str(root), HOOK["custom"], nothing, nothing, "dist", "wheel").initialize(version, data)
    return data


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree that is no checkout."""
    (tmp_path / "lucid").mkdir()
    copyfile(ROOT / "lucid/commit.py", tmp_path / "lucid/commit.py")
    return tmp_path


@pytest.mark.parametrize("said", [None, "", "0"])
def test_a_wheel_is_pure_unless_whoever_builds_says_otherwise(
    said: str | None, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(WANTED, raising=False) if said is None else monkeypatch.setenv(WANTED, said)
    assert initialized("standard", tree) == {"force_include": {}, "pure_python": True}


def test_an_editable_install_is_never_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WANTED, "1")
    with pytest.raises(CompilationFailed, match="unset LUCID_MYPYC"):
        initialized("editable", ROOT)


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
def test_packages_name_the_commit_that_they_were_built_from(tmp_path: Path) -> None:
    expected = commit(ROOT)
    assert expected, "this test wants a checkout"
    build(ROOT, "sdist", tmp_path)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as packed:
        packed.extractall(tmp_path, filter="data")
    source = next(each for each in tmp_path.iterdir() if each.is_dir())
    assert commit(source) == expected
    for tree in (ROOT, source):
        build(tree, "wheel", tmp_path / tree.name)
        with zipfile.ZipFile(next((tmp_path / tree.name).glob("*.whl"))) as wheel:
            assert wheel.read(RECORD).decode().strip() == expected
            assert wheel.namelist().count(RECORD) == 1


def build(tree: Path, target: str, folder: Path) -> None:
    """Build a package of a tree into a folder."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=tree, capture_output=True, check=True)


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


def test_what_a_run_replaces_is_not_compiled() -> None:
    """Compiled callers ask past what was put in place of a method (`harness.firstleaders.led_in_turn`)."""
    assert not {"lucid/ledger/turn.py", "harness/reference/schedule.py", "lucid/poot/schedule.py"} & set(MODULES)
