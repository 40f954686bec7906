"""`pipx install`."""

from __future__ import annotations

from smoke.static.model.filesystem import FileSystem
from smoke.static.model.installers.pipx import pipx
from smoke.static.model.stage import Stage


def test_programs_are_in_the_user_s_own_directory_unless_told_otherwise() -> None:
    stage = Stage(FileSystem(), python="3.12")
    pipx(stage, ["install", "httpie==3.2"], 1, {})
    pipx(stage, ["install", "httpie"], 2, {"PIPX_BIN_DIR": "/usr/local/bin", "PIPX_HOME": "/opt/pipx"})
    assert [each.scripts for each in stage.installs] == ["/root/.local/bin", "/usr/local/bin"]
    assert stage.installs[1].directory == "/opt/pipx/venvs/httpie/lib/python3.12/site-packages"


def test_what_else_it_does_is_in_doubt() -> None:
    stage = Stage(FileSystem(), python="3.12")
    pipx(stage, ["inject", "a", "b"], 1, {})
    assert stage.installs[0].doubt
