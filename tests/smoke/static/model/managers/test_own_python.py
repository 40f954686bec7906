"""Debian's and Alpine's own Python is left alone unless pip is told otherwise (PEP 668)."""

from __future__ import annotations

import pytest

from smoke.static.model.managers.own_python import managed_refusal, venv_refusal
from smoke.static.model.script import run
from smoke.static.model.stage import Stage
from tests.smoke.static.model.staged import stage

INSTALLED = "apt-get update && apt-get install -y python3 python3-pip"


def own(reference: str = "debian:12", script: str = INSTALLED) -> Stage:
    """A stage with the Python of its own distribution."""
    made = stage(reference)
    run(made, script, 1, {})
    return made


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ("flask", True),
        ("-r requirements.txt", True),
        ("--break-system-packages flask", False),
        ("--target /deps flask", False),
        ("-t/deps flask", False),
        ("--prefix=/opt flask", False),
    ],
)
def test_pip_refuses_to_install_beside_the_distributions_own(words: str, refused: bool) -> None:
    assert bool(managed_refusal(own(), words.split(), "pip3")) is refused


def test_the_mark_came_with_debian_12_and_alpine_3_19() -> None:
    assert not managed_refusal(own("debian:11"), ["flask"], "pip3")
    add = "apk add --no-cache python3 py3-pip"
    assert managed_refusal(own("alpine:3.20", add), ["flask"], "pip3")
    assert not managed_refusal(own("alpine:3.18", add), ["flask"], "pip3")


def test_whoever_takes_the_mark_away_or_sets_the_variable_is_not_refused() -> None:
    assert not managed_refusal(own(script=f"{INSTALLED} && rm /usr/lib/python3.11/EXTERNALLY-MANAGED"), ["x"], "pip3")
    made = own()
    made.environment["PIP_BREAK_SYSTEM_PACKAGES"] = "1"
    assert not managed_refusal(made, ["flask"], "pip3")


def test_dockers_python_is_not_marked() -> None:
    assert not managed_refusal(stage(), ["flask"], "pip")


def test_an_environment_needs_ensurepip() -> None:
    assert "python3-venv" in venv_refusal(own(), ["/venv"], "python3")
    assert not venv_refusal(own(), ["--without-pip", "/venv"], "python3")
    assert not venv_refusal(own(script=f"{INSTALLED} python3-venv"), ["/venv"], "python3")
    assert not venv_refusal(stage(), ["/venv"], "python3")
