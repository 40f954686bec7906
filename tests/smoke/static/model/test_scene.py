"""What a start is looked up in, and what a script changes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.entries import ACTIVATED, Followed
from smoke.static.model.install import Install
from smoke.static.model.scene import MAX_SCRIPT, Scene
from smoke.static.python.installed import Installed
from smoke.tree import Tree
from tests.smoke.static.model.staged import stage


def scene(tmp_path: Path, files: dict[str, str] | None = None) -> Scene:
    installs = (Install(1, distributions=("flask==3.0",), directory="/deps"),)
    return Scene(None, stage(files=files), Installed(Tree(tmp_path), installs, (3, 12), "Dockerfile"))


@pytest.mark.parametrize(
    ("environment", "first"),
    [
        ({ACTIVATED: "web"}, "/opt/conda/envs/web/bin"),
        ({ACTIVATED: "base"}, "/opt/conda/bin"),
        ({ACTIVATED: "/srv/env"}, "/srv/env/bin"),
        ({"VIRTUAL_ENV": "/v"}, "/v/bin"),
        ({"VIRTUAL_ENV": "/v", "PATH": "/opt/bin:/v/bin"}, "/opt/bin"),
        ({"PATH": "/own/bin"}, "/own/bin"),
        ({"MODE": "web"}, "/usr/local/sbin"),
    ],
)
def test_an_environment_that_a_script_activates_is_first_on_the_path(
    tmp_path: Path, environment: dict[str, str], first: str
) -> None:
    inner = scene(tmp_path).within(Followed(environment=environment))
    assert inner.state.environment["PATH"].split(":")[0] == first


def test_what_a_script_changes_is_not_the_image_s(tmp_path: Path) -> None:
    outer = scene(tmp_path)
    inner = outer.within(Followed(environment={"MODE": "web"}, directory="srv"))
    assert (inner.state.workdir, inner.state.environment["MODE"], inner.depth) == ("/srv", "web", 1)
    assert (outer.state.workdir, outer.depth) == ("/", 0) and "MODE" not in outer.state.environment
    assert inner.within(Followed()).state.workdir == "/srv", "a script that goes nowhere stays"


def test_files_are_there_or_not_or_in_doubt(tmp_path: Path) -> None:
    found = scene(tmp_path, {"run.sh": "exec python"})
    found.state.files.suspect("/srv", "something ran there", DoubtCause.COMMAND)
    assert (found.exists("run.sh"), found.exists("/none"), found.exists("/srv/a")) == (True, False, None)
    assert found.read("run.sh") == "exec python" and found.read("/none") is None
    assert found.read("/usr/local/bin/python") is None, "what the base has cannot be read"


def test_a_file_without_end_is_read_to_a_limit(tmp_path: Path) -> None:
    assert len(scene(tmp_path, {"run.sh": "x" * (MAX_SCRIPT + 9)}).read("run.sh") or "") == MAX_SCRIPT


def test_how_a_distribution_is_asked_for(tmp_path: Path) -> None:
    assert scene(tmp_path).asked("flask") == "flask==3.0" and scene(tmp_path).asked("werkzeug") == ""
