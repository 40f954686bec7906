"""What uv and Poetry refuse."""

from __future__ import annotations

from smoke.static.model.filesystem import FileSystem, PathEntry
from smoke.static.model.projecting import poetry_refusal, uv_refusal
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


def test_uv_may_not_fetch_a_python() -> None:
    stage = Stage(FileSystem(), workdir="/app", python="3.12", environment={"UV_PYTHON_DOWNLOADS": "never"})
    assert "may not fetch" in uv_refusal(stage, ["venv", "--python", "3.13"])
    assert uv_refusal(stage, ["venv", "--python", "3.12"]) == ""
