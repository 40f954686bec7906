"""`uv sync`, `uv venv` and their kin: which environment, which Python, which part of the lock."""

from __future__ import annotations

import pytest

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.install import Install
from smoke.static.model.installers.uv import uv
from smoke.static.model.installers.venvs import make_venv
from smoke.static.model.stage import Stage
from tests.smoke.static.model.staged import stage

SITE = "/usr/local/lib/python3.12/site-packages"
FILES = {"pyproject.toml": "", "uv.lock": ""}


def after(words: str, given: dict[str, str] | None = None, made: Stage | None = None) -> Stage:
    made = stage(files=FILES) if made is None else made
    uv(made, words.split(), 5, given or {})
    return made


def synced(words: str, given: dict[str, str] | None = None, made: Stage | None = None) -> Install:
    return after(words, given, made).installs[-1]


@pytest.mark.parametrize(
    ("words", "given", "directory"),
    [
        ("sync", {}, "/.venv/lib/python3.12/site-packages"),
        ("--quiet --cache-dir /c sync --frozen", {}, "/.venv/lib/python3.12/site-packages"),
        ("sync", {"UV_PROJECT_ENVIRONMENT": "/opt/env"}, "/opt/env/lib/python3.12/site-packages"),
        ("sync", {"UV_PROJECT_ENVIRONMENT": "/usr/local"}, SITE),
        ("sync", {"VIRTUAL_ENV": "/v"}, "/.venv/lib/python3.12/site-packages"),
        ("sync --active", {"VIRTUAL_ENV": "/v"}, "/v/lib/python3.12/site-packages"),
        ("sync --python 3.13", {}, "/.venv/lib/python3.13/site-packages"),
        ("sync", {"UV_PYTHON": "3.11"}, "/.venv/lib/python3.11/site-packages"),
    ],
)
def test_where_it_goes(words: str, given: dict[str, str], directory: str) -> None:
    """Unlike `uv pip`, `uv sync` keeps to the project's own environment beside an active one."""
    made = stage(files=FILES)
    make_venv(made, "/v", 2)
    install = synced(words, given, made)
    assert install.directory == directory and not install.doubt
    assert install.made.python in directory or directory == SITE


def test_an_environment_that_is_there_keeps_its_python() -> None:
    made = after("venv --python 3.13")
    assert synced("sync", None, made).made.python == "3.13"


def test_the_tree_s_pin_names_the_python() -> None:
    made = stage(files={**FILES, ".python-version": "3.11"})
    made.pins[".python-version"] = "3.11"
    assert synced("sync", None, made).made.python == "3.11"


@pytest.mark.parametrize(
    ("words", "given", "managed"),
    [
        ("venv", {}, False),
        ("venv --python 3.12", {}, False),
        ("venv --python 3.13", {}, True),
        ("venv --python 3.13", {"UV_PYTHON_DOWNLOADS": "never"}, False),
        ("venv", {"UV_PYTHON_PREFERENCE": "only-managed"}, True),
        ("venv", {"UV_MANAGED_PYTHON": "1"}, True),
        ("venv --python /usr/local/bin/python3.12", {"UV_MANAGED_PYTHON": "1"}, False),
    ],
)
def test_uv_fetches_a_python_where_the_one_at_hand_will_not_do(
    words: str, given: dict[str, str], managed: bool
) -> None:
    venv = after(words, given).venvs["/.venv"]
    assert venv.managed is managed and ("share/uv" in venv.interpreter) is managed


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        ("sync", {"development": True, "main": True, "path": "uv.lock", "project": ""}),
        ("sync --no-dev", {"development": False, "main": True}),
        ("sync --only-dev", {"development": True, "main": False}),
        ("sync --only-group docs", {"development": False, "main": False, "groups": ("docs",)}),
        ("sync --group a --group b --no-group c", {"groups": ("a", "b"), "without": ("c",)}),
        ("sync --extra web", {"extras": ("web",), "every_extra": False}),
        ("sync --all-extras --all-groups", {"every_extra": True, "every_group": True}),
        ("sync --package api", {"package": "api", "every_package": False}),
        ("sync --all-packages", {"every_package": True}),
    ],
)
def test_which_part_of_the_lock(words: str, fields: dict[str, object]) -> None:
    lock = synced(words).lock
    assert lock is not None and {name: getattr(lock, name) for name in fields} == fields


@pytest.mark.parametrize(
    ("words", "given", "editable"),
    [
        ("sync", {}, [True]),
        ("sync --no-editable", {}, [False]),
        ("sync", {"UV_NO_EDITABLE": "1"}, [False]),
        ("sync --no-install-project", {}, []),
        ("sync --no-install-workspace", {}, []),
        ("sync --only-group docs", {}, []),
        ("sync --package api", {}, []),
    ],
)
def test_whether_the_project_itself_comes_along(words: str, given: dict[str, str], editable: list[bool]) -> None:
    assert [each.editable for each in synced(words, given).projects] == editable


def test_without_a_project_it_is_in_doubt() -> None:
    assert "no pyproject.toml" in synced("sync", None, stage()).doubt


def test_what_is_not_followed_is_in_doubt() -> None:
    for words in ("add flask", "tool install httpie"):
        assert words.split()[0] in synced(words).doubt
    made = after("run python make.py")
    assert not made.installs and made.files.doubt("/anything").cause is DoubtCause.COMMAND


@pytest.mark.parametrize("words", ["", "--version", "lock", "export", "cache clean", "python install 3.13"])
def test_other_commands_install_nothing(words: str) -> None:
    made = after(words)
    assert not made.installs and not made.venvs
