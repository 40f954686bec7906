"""`poetry install` and where it leaves what it installs."""

from __future__ import annotations

import pytest

from smoke.static.model.install import Install
from smoke.static.model.installers.poetry import poetry
from smoke.static.model.installers.venvs import make_venv
from smoke.static.model.stage import Stage
from tests.smoke.static.model.staged import stage

SITE = "/usr/local/lib/python3.12/site-packages"
FILES = {"pyproject.toml": "", "poetry.lock": ""}


def after(words: str, given: dict[str, str] | None = None, made: Stage | None = None) -> Stage:
    made = stage(files=FILES) if made is None else made
    poetry(made, words.split(), 5, given or {})
    return made


def installed(words: str, given: dict[str, str] | None = None, made: Stage | None = None) -> Install:
    return after(words, given, made).installs[-1]


@pytest.mark.parametrize(
    ("before", "given", "directory"),
    [
        ("config virtualenvs.create false", {}, SITE),
        ("config --local virtualenvs.create False", {}, SITE),
        ("", {"POETRY_VIRTUALENVS_CREATE": "0"}, SITE),
        ("config virtualenvs.in-project true", {}, "/.venv/lib/python3.12/site-packages"),
        ("", {"POETRY_VIRTUALENVS_IN_PROJECT": "1"}, "/.venv/lib/python3.12/site-packages"),
        ("config virtualenvs.create true", {"POETRY_VIRTUALENVS_CREATE": "false"}, SITE),
        ("", {"VIRTUAL_ENV": "/v"}, "/v/lib/python3.12/site-packages"),
        ("config virtualenvs.create false", {"VIRTUAL_ENV": "/v"}, "/v/lib/python3.12/site-packages"),
    ],
)
def test_where_it_goes(before: str, given: dict[str, str], directory: str) -> None:
    """A variable goes before what was configured, and an active environment before both."""
    made = stage(files=FILES)
    make_venv(made, "/v", 2)
    after(before, None, made)
    assert installed("install", given, made).directory == directory


def test_unless_told_it_keeps_an_environment_of_its_own() -> None:
    assert installed("install").directory.startswith("/root/.cache/pypoetry/virtualenvs/")


@pytest.mark.parametrize(
    ("words", "groups", "without", "development", "main"),
    [
        ("install", (), (), True, True),
        ("sync", (), (), True, True),
        ("install --only main", (), (), False, True),
        ("install --only=main,web", ("web",), (), False, True),
        ("install --only web", ("web",), (), False, False),
        ("install --with web,api --without dev", ("web", "api"), ("dev",), True, True),
        ("install --no-dev", (), (), False, True),
    ],
)
def test_which_groups(
    words: str, groups: tuple[str, ...], without: tuple[str, ...], development: bool, main: bool
) -> None:
    lock = installed(words).lock
    assert lock is not None and (lock.kind, lock.path, lock.project) == ("poetry", "poetry.lock", "")
    assert (lock.groups, lock.without, lock.development, lock.main) == (groups, without, development, main)


def test_extras() -> None:
    lock = installed("install -E web --extras api,db").lock
    assert lock is not None and set(lock.extras) == {"web", "api", "db"} and not lock.every_extra
    every = installed("install --all-extras").lock
    assert every is not None and every.every_extra


@pytest.mark.parametrize(
    ("words", "own"), [("install", True), ("install --no-root", False), ("install --only web --no-root", False)]
)
def test_the_project_itself_comes_along_unless_it_is_left_out(words: str, own: bool) -> None:
    assert [each.editable for each in installed(words).projects] == ([True] if own else [])


def test_without_a_project_it_is_in_doubt() -> None:
    assert "not known" in installed("install", None, stage()).doubt


def test_an_export_makes_a_file_whose_content_is_not_known() -> None:
    made = after("export -f requirements.txt -o requirements.txt")
    entry = made.files.find("/requirements.txt")
    assert not made.installs and entry is not None and not entry.source


@pytest.mark.parametrize(
    "words", ["", "lock", "build", "check", "run python a.py", "config --list", "add flask --lock"]
)
def test_other_commands_install_nothing(words: str) -> None:
    assert not after(words).installs
