"""Which manager refuses, by the words of a command."""

from __future__ import annotations

import pytest

from smoke.static.model.managers.refusal import refusal
from tests.smoke.static.model.staged import stage


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("apt-get install -y curl", "apt-get install knows no package yet"),
        ("apk add build-essential", ""),
        ("adduser -D app", "adduser of Debian has no option -D"),
        ("pip install -r gone.txt", "pip: there is no /gone.txt"),
        ("pip3.12 install -r gone.txt", "pip3.12: there is no /gone.txt"),
        ("python -m pip install -r gone.txt", "python -m pip: there is no /gone.txt"),
        ("python3 -m venv /venv", ""),
        ("uv sync --frozen", "uv"),
        ("pdm sync", "pdm sync goes by its lock file"),
        ("npm run build", "reads package.json"),
        ("cargo build", ""),
        ("python main.py", ""),
    ],
)
def test_a_command_is_judged_by_its_tool(words: str, says: str) -> None:
    name, *rest = words.split()
    found = refusal(stage(), name, rest)
    assert says in found and bool(says) == bool(found)


MAKEFILE = "PIP := pip\n# a: comment\n.PHONY: deps\nall: deps\ndeps: requirements.txt\n\t$(PIP) install x\nX = a:b\n"


@pytest.mark.parametrize(
    ("text", "words", "refused"),
    [
        (MAKEFILE, "deps", False),
        (MAKEFILE, "all deps", False),
        (MAKEFILE, "setup", True),
        (MAKEFILE, "-C other setup", False),
        (MAKEFILE, "PREFIX=/usr all", False),
        (MAKEFILE + "%.o: %.c\n\tcc\n", "setup", False),
        (MAKEFILE + "include more.mk\n", "setup", False),
        ("%" * 200_000 + "\n" + " " * 200_000, "setup", True),
    ],
)
def test_targets_of_make(text: str, words: str, refused: bool) -> None:
    message = refusal(stage(files={"Makefile": text}), "make", words.split())
    assert message == ("make: the Makefile has no target setup" if refused else "")
