"""Which commands are installers, in each of the ways in which they are called."""

from __future__ import annotations

import shlex

import pytest

from smoke.static.model.installers.catalog import follow, known
from tests.smoke.static.model.staged import stage

SITE = "/usr/local/lib/python3.12/site-packages"


@pytest.mark.parametrize(
    "words",
    [
        "pip install flask",
        "pip3 install flask",
        "pip3.12 install flask",
        "/usr/local/bin/pip install flask",
        "python -m pip install flask",
        "python3 -Im pip install flask",
        "/usr/local/bin/python3.12 -mpip install flask",
        "python -u -m pip install flask",
        "python -W ignore -m pip install flask",
        "python -X dev -Wignore -m pip install flask",
        "uv pip install --system flask",
        "python -m uv pip install --system flask",
    ],
)
def test_each_way_of_calling_installs_the_same(words: str) -> None:
    made = stage()
    assert follow(made, shlex.split(words), 3, {})
    [install] = made.installs
    assert (install.distributions, install.directory, install.line, install.doubt) == (("flask",), SITE, 3, "")


@pytest.mark.parametrize("words", ["virtualenv /v", "python -m venv /v", "python3 -mvenv /v", "uv venv /v"])
def test_each_way_of_making_an_environment(words: str) -> None:
    made = stage()
    assert follow(made, words.split(), 3, {})
    assert list(made.venvs) == ["/v"] and made.venvs["/v"].version == "3.12"


@pytest.mark.parametrize(
    "words",
    [
        "python",
        "python app.py -m pip install flask",
        "python - -m pip install flask",
        "python -c 'import x' -m pip install flask",
        "python -m http.server",
        "python -m",
        "pipe install flask",
        "python2 -m pip install flask",
        "pip-compile requirements.in",
    ],
)
def test_what_is_no_installer_is_left_to_others(words: str) -> None:
    """Of a script's own words, or of what standard input says, Python reads nothing itself."""
    made = stage()
    assert not follow(made, shlex.split(words), 3, {}) and not made.installs


def test_what_easy_install_brings_is_not_followed() -> None:
    made = stage()
    assert follow(made, ["easy_install", "flask"], 3, {})
    assert "easy_install" in made.installs[0].doubt and "easy_install" in made.files.doubt(f"{SITE}/flask.py")


def test_programs_that_are_known_are_those_that_are_followed() -> None:
    names = ("pip", "pip3.12", "python", "python3.11", "uv", "poetry", "mamba", "pipx", "virtualenv", "easy_install")
    assert all(known(name) for name in names)
    assert not any(known(name) for name in ("pipe", "python2", "pythonw", "npm", "piptools", ""))
