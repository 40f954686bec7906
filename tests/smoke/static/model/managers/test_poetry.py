"""What Poetry refuses."""

from __future__ import annotations

from smoke.static.model.filesystem import FileSystem, PathEntry
from smoke.static.model.managers.poetry import poetry_project, poetry_refusal
from smoke.static.model.stage import Stage


def test_poetry_2_has_lost_options() -> None:
    stage = Stage(FileSystem(), workdir="/app", settings={"tool poetry": "poetry==2.1.1"})
    stage.files.add("/app/pyproject.toml", PathEntry("file"))
    assert "--no-dev" in poetry_refusal(stage, ["install", "--no-dev"])
    assert "plugin" in poetry_refusal(stage, ["export"])
    stage.settings["tool poetry"] = "poetry<2"
    assert poetry_refusal(stage, ["install", "--no-dev"]) == ""


def test_poetry_wants_a_project() -> None:
    assert "finds no" in poetry_refusal(Stage(FileSystem(), workdir="/app"), ["install"])


def test_poetry_2_does_not_go_on_without_the_projects_own_code() -> None:
    text = b'[project]\nname = "Ticker.Two"\n[build-system]\nbuild-backend = "setuptools.build_meta"\n'
    stage = Stage(FileSystem(), workdir="/app", settings={"tool poetry": "poetry"}, read=lambda path: text)
    stage.files.add("/app/pyproject.toml", PathEntry("file", "pyproject.toml"))
    assert "ticker_two" in poetry_project(stage, ["install", "--only", "main"])
    assert poetry_project(stage, ["install", "--no-root"]) == ""
    stage.settings["tool poetry"] = "poetry==1.8.3"
    assert poetry_project(stage, ["install"]) == "", "Poetry 1 warns and goes on"
    stage.settings["tool poetry"] = "poetry"
    stage.files.add("/app/src/ticker_two/__init__.py", PathEntry("file"))
    assert poetry_project(stage, ["install"]) == ""
