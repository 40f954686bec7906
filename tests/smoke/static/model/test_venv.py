"""A virtual environment, as a build's steps leave it."""

from __future__ import annotations

from tests.smoke.static.model.staged import followed


def test_an_environment_says_which_python_it_is_of() -> None:
    [[place, venv]] = followed("python -m venv /venv").venvs.items()
    assert (place, venv.made, venv.system) == ("/venv", "/venv", False) and venv.interpreter
