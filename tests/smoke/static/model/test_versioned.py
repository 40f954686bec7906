"""Versions that come from Git."""

from __future__ import annotations

from typing import Any

import pytest

from smoke.static.model.filesystem import FileSystem, PathEntry
from smoke.static.model.stage import Stage
from smoke.static.model.versioned import REPOSITORY, brings_repository, unversioned

SCM: dict[str, Any] = {
    "build-system": {"requires": ["setuptools", "setuptools_scm[toml]>=8"]},
    "project": {"dynamic": ["version"]},
    "tool": {"setuptools_scm": {}},
}
HATCH: dict[str, Any] = {
    "build-system": {"requires": ["hatchling", "hatch-vcs"]},
    "project": {"dynamic": ["version"]},
    "tool": {"hatch": {"version": {"source": "vcs"}}},
}


@pytest.mark.parametrize("told", [SCM, HATCH])
def test_without_git_there_is_none(told: dict[str, Any]) -> None:
    assert "no .git" in unversioned(Stage(FileSystem()), "/src", told)


def test_what_gives_one_is_enough() -> None:
    assert unversioned(Stage(FileSystem(), environment={"SETUPTOOLS_SCM_PRETEND_VERSION": "1"}), "/src", SCM) == ""
    assert unversioned(Stage(FileSystem(), settings={REPOSITORY: "perhaps"}), "/src", SCM) == ""
    assert unversioned(Stage(FileSystem({"/src/PKG-INFO": PathEntry("file")})), "/src", SCM) == ""
    other = {**SCM, "tool": {"setuptools_scm": {"fallback_version": "0"}}}
    assert unversioned(Stage(FileSystem()), "/src", other) == ""


def test_a_version_that_is_written_down_needs_none() -> None:
    assert unversioned(Stage(FileSystem()), "/src", {**SCM, "project": {"version": "1"}}) == ""
    assert unversioned(Stage(FileSystem()), "/src", {**SCM, "build-system": {"requires": ["setuptools"]}}) == ""
    assert unversioned(Stage(FileSystem()), "/src", {**SCM, "tool": {}}) == ""


def test_what_may_bring_the_repository() -> None:
    for word in (".", "./", "/", "*", ".git", "./.git/", ""):
        assert brings_repository([word]), word
    for word in ("src", "pyproject.toml", "./src/", "app/."):
        assert not brings_repository([word]), word


@pytest.mark.parametrize(
    ("backend", "tool", "text", "found"),
    [
        ("hatchling.build", {"hatch": {"version": {"path": "a.py"}}}, b"VERSION = '1'\n", True),
        ("hatchling.build", {"hatch": {"version": {"path": "a.py"}}}, b"RELEASE = '1'\n", False),
        ("hatchling.build", {"hatch": {"version": {"path": "a.py", "pattern": "x"}}}, b"", True),
        ("pdm.backend", {"pdm": {"version": {"source": "file", "path": "a.py"}}}, b"__version__ = '1'\n", True),
        ("pdm.backend", {"pdm": {"version": {"source": "file", "path": "a.py"}}}, b"", False),
        ("setuptools.build_meta", {"setuptools": {"dynamic": {"version": {"attr": "a.V"}}}}, b"V = '1'\n", True),
        ("setuptools.build_meta", {"setuptools": {"dynamic": {"version": {"attr": "a.V"}}}}, b"W = '1'\n", False),
    ],
)
def test_a_file_has_to_hold_it(backend: str, tool: dict[str, Any], text: bytes, found: bool) -> None:
    stage = Stage(FileSystem({"/src/a.py": PathEntry("file", "a.py")}), read=lambda path: text)
    told = {"build-system": {"build-backend": backend}, "project": {"dynamic": ["version"]}, "tool": tool}
    assert ("which has none" in unversioned(stage, "/src", told)) is not found
    assert unversioned(stage, "/src", {**told, "project": {"version": "1"}}) == ""
