"""What pip refuses of what it is asked for, and of where it would write."""

from __future__ import annotations

import pytest

from smoke.static.model.managers.pip import pip_refusal
from smoke.static.model.stage import Stage
from tests.smoke.static.model.staged import stage

FILES = {
    "a.txt": "flask==3.0\n",
    "twice.txt": "flask==3.0\nflask==2.0\n",
    "hashed.txt": "flask==3.0 --hash=sha256:00\nredis==5.0\n",
    "limits.txt": "flask==2.0\n",
}


def refused(words: str, made: Stage | None = None) -> str:
    """What is wrong with `pip install` of these."""
    return pip_refusal(made or stage(files=FILES), ["install", *words.split()], "pip")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("flask", ""),
        ("-r a.txt", ""),
        ("-r b.txt", "there is no /b.txt"),
        ("-r twice.txt", "flask is pinned to 3.0 and to 2.0"),
        ("-r a.txt -c limits.txt", "pinned to 3.0, and its constraint to 2.0"),
        ("-r hashed.txt", "redis==5.0 has none"),
        ("--require-hashes -r a.txt", "flask==3.0 has none"),
        (".", "neither a pyproject.toml nor a setup.py"),
        ("-e ./src", "/src has neither"),
        ("--no-index --find-links=/wheels flask", "there is no /wheels"),
        ("--find-links=/wheels flask", ""),
        ("/wheels/*.whl", "there is no /wheels"),
        ("/wheels/a-1-py3-none-any.whl", "there is no /wheels/a-1-py3-none-any.whl"),
        ("./a-1-py3-none-any.whl", "there is no /a-1-py3-none-any.whl"),
        ("./$WHEEL.whl", ""),
        ("/usr/share/wheels/*.whl", ""),
        ("--no-index flask", "nowhere to look"),
        ("--no-index -r a.txt", "nowhere to look"),
        ("--no-index --upgrade pip", ""),
        ("--no-index .", "neither a pyproject.toml"),
        ("a-1-cp311-cp311-manylinux_2_17_x86_64.whl", "cp311"),
        ("a-1-cp312-cp312-manylinux_2_17_x86_64.whl", ""),
        ("a-1-cp312-cp312-musllinux_1_1_x86_64.whl", "musl"),
        ("a-1-py3-none-any.whl", ""),
        ("--target /deps --python-version 3.11 a-1-cp311-cp311-manylinux_2_17_x86_64.whl", ""),
        ("--timeout . flask", ""),
    ],
)
def test_what_it_is_asked_for(words: str, says: str) -> None:
    found = refused(words)
    assert says in found and bool(says) == bool(found)


def test_a_number_without_a_home_may_write_nowhere() -> None:
    made = stage(files=FILES)
    made.user = "4242"
    assert "has no home directory" in refused("flask", made)
    assert refused("--target /deps flask", made) == ""
    made.environment["HOME"] = "/home/app"
    assert refused("flask", made) == ""
    made = stage(files=FILES)
    made.user = "nobody"
    assert refused("flask", made) == "", "a user has the home that /etc/passwd says"
    made.user = "0"
    assert refused("flask", made) == ""


def test_other_commands_of_pip_are_not_judged() -> None:
    assert pip_refusal(stage(), ["download", "-r", "none.txt"], "pip") == ""
