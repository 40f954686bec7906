"""`pipenv install` and where it leaves what it installs."""

from __future__ import annotations

import pytest

from smoke.static.model.install import Install
from smoke.static.model.installers.pipenv import pipenv
from smoke.static.model.installers.venvs import make_venv
from smoke.static.model.stage import Stage
from tests.smoke.static.model.installers.projects import SITE, stage_with


def installed(stage: Stage, words: str, given: dict[str, str] | None = None) -> Install:
    pipenv(stage, words.split(), 5, given or {})
    return stage.installs[-1]


@pytest.mark.parametrize(("words", "given"), [("install --system", {}), ("sync", {"PIPENV_SYSTEM": "1"})])
def test_the_system_gets_it_where_it_is_told_to(words: str, given: dict[str, str]) -> None:
    install = installed(stage_with("Pipfile", "Pipfile.lock"), words, given)
    assert install.directory == SITE
    assert install.lock is not None
    assert (install.lock.kind, install.lock.path, install.lock.development) == ("pipenv", "Pipfile.lock", False)
    assert not install.doubt


def test_without_a_lock_the_pipfile_tells() -> None:
    install = installed(stage_with("Pipfile"), "install --dev --system")
    assert install.lock is not None
    assert (install.lock.path, install.lock.development) == ("Pipfile", True)


def test_an_environment_that_is_active_gets_it() -> None:
    stage = stage_with("Pipfile.lock")
    make_venv(stage, "/venv", 2)
    for words in ("install", "install --system"):
        assert installed(stage, words, {"VIRTUAL_ENV": "/venv"}).directory == "/venv/lib/python3.12/site-packages"


def test_it_makes_one_in_the_project_where_it_is_told_to() -> None:
    stage = stage_with("Pipfile.lock")
    install = installed(stage, "install --deploy", {"PIPENV_VENV_IN_PROJECT": "1"})
    assert install.directory == "/app/.venv/lib/python3.12/site-packages"
    assert "/app/.venv" in stage.venvs


def test_else_it_keeps_one_apart() -> None:
    assert installed(stage_with("Pipfile.lock"), "install").directory not in (SITE, "")


def test_what_it_is_given_besides_is_noted() -> None:
    assert installed(stage_with("Pipfile.lock"), "install --system gunicorn").distributions == ("gunicorn",)


def test_without_either_file_it_is_in_doubt() -> None:
    assert "pipenv" in installed(stage_with(), "install --system").doubt


def test_other_commands_install_nothing() -> None:
    stage = stage_with("Pipfile.lock")
    for words in ("run python a.py", "--version", "lock", "requirements"):
        pipenv(stage, words.split(), 5, {})
    assert not stage.installs
