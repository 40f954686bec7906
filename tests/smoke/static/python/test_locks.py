"""What each kind of lock installs, by groups, extras and markers; what cannot be read is in doubt, never empty."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smoke.static.model.install import Lock
from smoke.static.python.locks import Locked, read_lock
from smoke.tree import Tree
from tests.smoke.cases import write_files

PROJECT = """\
[project]
name = "shop"
version = "1"
dependencies = ["flask"]
[project.optional-dependencies]
fast = ["uvloop"]
[dependency-groups]
dev = ["pytest"]
docs = ["mkdocs"]
"""
UV = """\
version = 1
[[package]]
name = "shop"
source = { editable = "." }
dependencies = [{ name = "flask", extra = ["async"] }, { name = "winreg-tool", marker = "sys_platform == 'win32'" }]
[package.optional-dependencies]
fast = [{ name = "uvloop" }]
[package.dev-dependencies]
dev = [{ name = "pytest" }]
docs = [{ name = "mkdocs" }]
[[package]]
name = "flask"
version = "3.1"
dependencies = [{ name = "werkzeug" }, { name = "flask" }]
[package.optional-dependencies]
async = [{ name = "asgiref" }]
[[package]]
name = "werkzeug"
version = "3"
[[package]]
name = "asgiref"
version = "3"
[[package]]
name = "uvloop"
version = "0.21"
[[package]]
name = "pytest"
version = "8"
[[package]]
name = "mkdocs"
version = "1"
[[package]]
name = "winreg-tool"
version = "1"
"""


def read(folder: Path, text: str, kind: str, name: str, project: str = PROJECT, **options: Any) -> Locked:
    write_files(folder, {name: text, "pyproject.toml": project})
    return read_lock(Tree(folder), Lock(kind, name, "", **options), (3, 12))


def names(locked: Locked) -> set[str]:
    return {each.name for each in locked.requirements}


MAIN = {"flask", "werkzeug", "asgiref"}


@pytest.mark.parametrize(
    ("options", "more"),
    [
        ({}, set()),
        ({"development": True}, {"pytest"}),
        ({"groups": ("docs",)}, {"mkdocs"}),
        ({"every_group": True}, {"pytest", "mkdocs"}),
        ({"every_group": True, "without": ("dev",)}, {"mkdocs"}),
        ({"extras": ("fast",)}, {"uvloop"}),
        ({"every_extra": True}, {"uvloop"}),
        ({"every_package": True}, set()),
        ({"package": "shop"}, set()),
    ],
)
def test_uv_s_edges_are_followed_from_the_project_on(tmp_path: Path, options: dict[str, Any], more: set[str]) -> None:
    locked = read(tmp_path, UV, "uv", "uv.lock", **options)
    assert names(locked) == MAIN | more and locked.whole and not locked.doubt


def test_a_group_alone_leaves_the_project_s_own_out(tmp_path: Path) -> None:
    assert names(read(tmp_path, UV, "uv", "uv.lock", main=False, groups=("docs",))) == {"mkdocs"}


def test_a_uv_lock_of_no_project_installs_all(tmp_path: Path) -> None:
    text = '[[package]]\nname = "Flask_X"\nversion = "1"\nsource = { registry = "x" }\n'
    assert names(read(tmp_path, text, "uv", "uv.lock")) == {"flask-x"}


GROUPED = """\
[[package]]
name = "flask"
version = "3"
groups = ["main"]
[[package]]
name = "colorama"
version = "1"
groups = ["main"]
markers = "sys_platform == 'win32'"
[[package]]
name = "uvloop"
version = "1"
groups = ["main"]
optional = true
markers = "extra == 'fast'"
[[package]]
name = "pytest"
version = "8"
groups = ["dev"]
markers = { dev = "python_version >= '3.9'" }
"""


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, {"flask"}),
        ({"extras": ("fast",)}, {"flask", "uvloop"}),
        ({"development": True}, {"flask", "pytest"}),
        ({"main": False, "groups": ("dev",)}, {"pytest"}),
    ],
)
def test_a_poetry_lock_names_each_package_s_groups(tmp_path: Path, options: dict[str, Any], wanted: set[str]) -> None:
    assert names(read(tmp_path, GROUPED, "poetry", "poetry.lock", **options)) == wanted


def test_an_older_lock_is_followed_from_what_the_project_needs(tmp_path: Path) -> None:
    text = """\
[[package]]
name = "flask"
version = "2"
[package.dependencies]
Werkzeug = ">=2"
[[package]]
name = "werkzeug"
version = "2"
[[package]]
name = "pytest"
version = "7"
[[package]]
name = "uvloop"
version = "1"
dependencies = ["typing-extensions>=4"]
[[package]]
name = "typing-extensions"
version = "4"
"""
    assert names(read(tmp_path, text, "poetry", "poetry.lock")) == {"flask", "werkzeug"}
    with_extra = read(tmp_path, text, "pdm", "pdm.lock", extras=("fast",))
    assert names(with_extra) == {"flask", "werkzeug", "uvloop", "typing-extensions"}
    (tmp_path / "pyproject.toml").unlink()
    assert len(names(read_lock(Tree(tmp_path), Lock("poetry", "poetry.lock", ""), (3, 12)))) == 5


PIPFILE = """\
{"_meta": {"hash": {"sha256": "0"}},
 "default": {"flask": {"version": "==3.0"}, "pywin32": {"version": "==1", "markers": "sys_platform == 'win32'"}},
 "develop": {"pytest": {"version": "==8"}}}
"""


def test_a_pipfile_lock_has_two_sections_and_is_whole_when_a_tool_made_it(tmp_path: Path) -> None:
    locked = read(tmp_path, PIPFILE, "pipenv", "Pipfile.lock")
    assert [(each.name, each.version) for each in locked.requirements] == [("flask", "3.0")] and locked.whole
    assert names(read(tmp_path, PIPFILE, "pipenv", "Pipfile.lock", development=True)) == {"flask", "pytest"}
    assert not read(tmp_path, '{"default": {"flask": {}}}', "pipenv", "Pipfile.lock").whole
    plain = read(tmp_path, '[packages]\nflask = "*"\n[dev-packages]\npytest = "*"\n', "pipenv", "Pipfile")
    assert names(plain) == {"flask"} and not plain.whole


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, {"flask"}),
        ({"every_extra": True}, {"flask", "uvloop"}),
        ({"extras": ("Fast",)}, {"flask", "uvloop"}),
        ({"groups": ("docs",), "main": False}, {"mkdocs"}),
        ({"development": True}, {"flask", "pytest"}),
    ],
)
def test_without_a_lock_it_is_what_the_project_asks_for(
    tmp_path: Path, options: dict[str, Any], wanted: set[str]
) -> None:
    write_files(tmp_path, {"pyproject.toml": PROJECT})
    locked = read_lock(Tree(tmp_path), Lock("uv", "", "", **options), (3, 12))
    assert names(locked) == wanted and not locked.whole
    assert names(read(tmp_path, "version = 1\n", "uv", "uv.lock", **options)) == wanted, "an empty lock tells nothing"


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        ("uv", "uv.lock", "[[package"),
        ("uv", "uv.lock", "package = 3\n"),
        ("poetry", "poetry.lock", '[[package]]\nname = "a"\ngroups = 3\n'),
        ("pipenv", "Pipfile.lock", "{"),
        ("pipenv", "Pipfile.lock", '{"default": []}'),
        ("pipenv", "Pipfile.lock", "[]"),
    ],
)
def test_what_cannot_be_read_is_in_doubt(tmp_path: Path, kind: str, name: str, text: str) -> None:
    assert read(tmp_path, text, kind, name).doubt == f"{name} cannot be read"


def test_a_project_that_is_not_there_is_in_doubt(tmp_path: Path) -> None:
    assert read_lock(Tree(tmp_path), Lock("uv", "", ""), None).doubt == "what uv installs is not known"
