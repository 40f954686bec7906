"""Where an installation goes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from smoke.static.model.filesystem import FileSystem
from smoke.static.model.installers.places import kept_apart, own_site, place, place_user, scripts_of
from smoke.static.model.installers.venvs import make_venv, venv_site
from smoke.static.model.installers.wanted import InstallRequest, made_for
from smoke.static.model.stage import Stage
from tests.smoke.static.model.staged import stage

SITE = "/usr/local/lib/python3.12/site-packages"
OWN = "/root/.local/lib/python3.12/site-packages"
ENVIRONMENT = "/v/lib/python3.12/site-packages"


def placed(given: Mapping[str, str], uv: bool, program: str, wanted: Mapping[str, str | bool]) -> InstallRequest:
    """Where it goes in a stage with an environment `/v` that is not active."""
    made = stage()
    make_venv(made, "/v", 2)
    request = InstallRequest(made=made_for(made))
    for name, value in wanted.items():
        setattr(request, name, value)
    place(made, request, program, dict(given), uv)
    return request


@pytest.mark.parametrize(
    ("given", "wanted", "program", "directory"),
    [
        ({}, {}, "pip", SITE),
        ({}, {}, "/v/bin/pip", ENVIRONMENT),
        ({"VIRTUAL_ENV": "/v"}, {}, "pip", SITE),
        ({"PIP_TARGET": "/deps"}, {}, "pip", "/deps"),
        ({"PIP_TARGET": "/deps"}, {"directory": "/told"}, "pip", "/told"),
        ({"PIP_USER": "yes"}, {}, "pip", OWN),
        ({"PIP_USER": "0"}, {}, "pip", SITE),
        ({}, {"user": True}, "pip", OWN),
        ({}, {"python": "/v/bin/python"}, "pip", ENVIRONMENT),
        ({}, {"python": "/other/bin/python"}, "pip", ""),
        ({}, {"unplaced": True}, "pip", ""),
    ],
)
def test_pip(given: dict[str, str], wanted: dict[str, str | bool], program: str, directory: str) -> None:
    """pip goes by its own program; a variable that a script of activation sets means nothing to it."""
    assert placed(given, False, program, wanted).directory == directory


@pytest.mark.parametrize(
    ("given", "wanted", "directory"),
    [
        ({}, {"system": True}, SITE),
        ({"UV_SYSTEM_PYTHON": "1"}, {}, SITE),
        ({"VIRTUAL_ENV": "/v"}, {}, ENVIRONMENT),
        ({"VIRTUAL_ENV": "/v", "UV_SYSTEM_PYTHON": "true"}, {}, SITE),
        ({"PIP_TARGET": "/deps", "VIRTUAL_ENV": "/v"}, {}, ENVIRONMENT),
        ({}, {"python": "/v/bin/python"}, ENVIRONMENT),
        ({}, {"python": "/v"}, ENVIRONMENT),
        ({}, {"python": "/usr/local/bin/python"}, SITE),
    ],
)
def test_uv(given: dict[str, str], wanted: dict[str, str | bool], directory: str) -> None:
    """uv goes by the active environment, and by none of pip's variables."""
    request = placed(given, True, "", wanted)
    assert request.directory == directory and not request.doubt


def test_uv_looks_for_an_environment_from_the_working_directory_up() -> None:
    assert "no virtual environment" in placed({}, True, "", {}).doubt
    made = stage()
    make_venv(made, "/srv/.venv", 2)
    made.workdir = "/srv/app/deep"
    request = InstallRequest()
    place(made, request, "", {}, True)
    assert request.directory == "/srv/.venv/lib/python3.12/site-packages" and request.made.python == "3.12"


def test_who_may_not_write_installs_for_himself() -> None:
    made = stage()
    made.user, made.homes["app"] = "app", "/home/app"
    request = InstallRequest()
    place(made, request, "pip", {}, False)
    assert request.directory == "/home/app/.local/lib/python3.12/site-packages"
    make_venv(made, "/v", 2)
    within = InstallRequest()
    place(made, within, "/v/bin/pip", {}, False)
    assert within.directory == ENVIRONMENT, "an environment is whose it is"


def test_without_a_home_or_a_version_the_user_s_directory_is_in_doubt() -> None:
    for made in (Stage(FileSystem()), Stage(FileSystem(), user="app", python="3.12")):
        request = InstallRequest()
        place_user(made, request)
        assert not request.directory and "not known" in request.doubt
    made = Stage(FileSystem(), user="app", python="3.12", environment={"PYTHONUSERBASE": "/base"})
    place_user(made, request)
    assert (request.directory, request.scripts) == ("/base/lib/python3.12/site-packages", "/base/bin")


def test_the_own_site_of_a_program() -> None:
    made = stage()
    venv = make_venv(made, "/v", 2)
    assert own_site(made, "pip") == SITE and own_site(made, "/v/bin/pip") == venv_site(venv)
    assert own_site(Stage(FileSystem()), "pip") == ""


@pytest.mark.parametrize(
    ("directory", "scripts"),
    [
        (SITE, "/usr/local/bin"),
        (ENVIRONMENT, "/v/bin"),
        ("/usr/lib/python3/dist-packages", "/usr/bin"),
        ("/usr/local/lib/python3.11/dist-packages", "/usr/local/bin"),
        ("/deps", "/deps/bin"),
    ],
)
def test_where_programs_go(directory: str, scripts: str) -> None:
    assert scripts_of(directory) == scripts


def test_an_environment_that_a_tool_keeps_apart() -> None:
    made, request = stage(), InstallRequest()
    kept_apart(made, request, "pypoetry/virtualenvs")
    assert request.directory.startswith("/root/.cache/pypoetry/virtualenvs/") and not request.doubt
    for name, value in (("WORKON_HOME", "/w"), ("PATH", "/root/.cache/pypoetry/virtualenvs/a/bin")):
        other, moved = stage(), InstallRequest()
        other.environment[name] = value
        kept_apart(other, moved, "pypoetry/virtualenvs")
        assert moved.doubt and not moved.directory, "it was told where, or is on the PATH by a name that is a hash"
