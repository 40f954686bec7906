"""`pdm install` and where it leaves what it installs."""

from __future__ import annotations

from smoke.static.model.install import Install
from smoke.static.model.installers.pdm import pdm
from smoke.static.model.stage import Stage
from tests.smoke.static.model.installers.projects import SITE, stage_with


def installed(stage: Stage, words: str, given: dict[str, str] | None = None) -> Install:
    pdm(stage, words.split(), 5, given or {})
    return stage.installs[-1]


def test_it_makes_an_environment_in_the_project() -> None:
    stage = stage_with("pyproject.toml", "pdm.lock")
    install = installed(stage, "install --prod --no-self -G web,db")
    assert install.directory == "/app/.venv/lib/python3.12/site-packages"
    assert "/app/.venv" in stage.venvs
    assert install.lock is not None
    assert (install.lock.path, install.lock.groups, install.lock.development) == ("pdm.lock", ("web", "db"), False)
    assert not install.projects


def test_the_project_is_installed_with_it_unless_it_is_told_not_to() -> None:
    [project] = installed(stage_with("pyproject.toml", "pdm.lock"), "sync --no-editable").projects
    assert not project.editable
    [project] = installed(stage_with("pyproject.toml", "pdm.lock"), "sync").projects
    assert project.editable


def test_the_system_gets_it_where_it_is_told_to() -> None:
    assert installed(stage_with("pyproject.toml", "pdm.lock"), "sync -g").directory == SITE


def test_without_an_environment_it_is_in_doubt() -> None:
    install = installed(stage_with("pyproject.toml", "pdm.lock"), "sync", {"PDM_USE_VENV": "0"})
    assert "__pypackages__" in install.doubt


def test_other_commands_install_nothing() -> None:
    stage = stage_with("pyproject.toml", "pdm.lock")
    for words in ("run python a.py", "lock", "export -o requirements.txt"):
        pdm(stage, words.split(), 5, {})
    assert not stage.installs
