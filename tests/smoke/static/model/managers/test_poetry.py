"""What Poetry refuses."""

from __future__ import annotations

from smoke.static.model.filesystem import FileSystem, PathEntry
from smoke.static.model.managers.poetry import poetry_refusal
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
