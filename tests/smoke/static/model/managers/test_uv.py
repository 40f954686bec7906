"""What uv refuses."""

from __future__ import annotations

from smoke.static.model.filesystem import FileSystem
from smoke.static.model.managers.uv import uv_refusal
from smoke.static.model.stage import Stage


def test_uv_may_not_fetch_a_python() -> None:
    stage = Stage(FileSystem(), workdir="/app", python="3.12", environment={"UV_PYTHON_DOWNLOADS": "never"})
    assert "may not fetch" in uv_refusal(stage, ["venv", "--python", "3.13"])
    assert uv_refusal(stage, ["venv", "--python", "3.12"]) == ""
