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
