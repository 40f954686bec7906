"""Where PYTHONHOME leads a Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.static.model.bases.catalog import find_base
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.home import astray
from smoke.static.model.scene import Scene
from smoke.static.model.venv import Venv
from smoke.static.python.installed import Installed
from smoke.tree import Tree
from tests.smoke.static.model.staged import stage


def scene(tmp_path: Path, home: str, base: str | None = "python:3.12-slim") -> Scene:
    made = stage()
    made.environment["PYTHONHOME"] = home
    known = find_base(base, ()) if base is not None else None
    return Scene(known, made, Installed(Tree(tmp_path), (), (3, 12), "Dockerfile"))


@pytest.mark.parametrize(
    ("home", "leads"),
    [("/app", True), ("app", True), ("/app:/usr/local", True), ("/usr/local", False), ("", False), ("$HERE", False)],
)
def test_a_directory_without_the_standard_library(tmp_path: Path, home: str, leads: bool) -> None:
    assert bool(astray(scene(tmp_path, home), "3.12")) is leads


def test_what_is_not_known_is_no_fault(tmp_path: Path) -> None:
    assert astray(scene(tmp_path, "/app", None), "3.12") == ""
    assert astray(scene(tmp_path, "/app"), "") == ""
    doubtful = scene(tmp_path, "/app")
    doubtful.state.files.suspect("/app", "something ran", DoubtCause.COMMAND)
    assert astray(doubtful, "3.12") == ""
    whole = scene(tmp_path, "/app")
    whole.state.files.add("/app/lib/python3.12/os.py", PathEntry("file", line=1))
    assert astray(whole, "3.12") == ""


@pytest.mark.parametrize(("interpreter", "leads"), [("/usr/local/bin/python3.12", True), ("/env/bin/python3", False)])
def test_an_environment_has_a_library_if_its_python_is_its_own(tmp_path: Path, interpreter: str, leads: bool) -> None:
    held = scene(tmp_path, "/env")
    held.state.venvs["/env"] = Venv("/env", interpreter, "3.12")
    assert bool(astray(held, "3.12")) is leads
