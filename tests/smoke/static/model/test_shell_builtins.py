"""Words that a shell knows of itself."""

from __future__ import annotations

import pytest

from smoke.static.model.shell_builtins import BUILTINS
from smoke.static.model.steps import refusal
from tests.smoke.static.model.staged import stage


@pytest.mark.parametrize("word", ["cd", "source", "[[", "deactivate", "printf"])
def test_no_program_is_missed_for_them(word: str) -> None:
    made = stage()
    made.shell = "bash"
    assert word in BUILTINS and refusal(made, [word, "x"] if word != "cd" else ["cd", "-"], 1) == ""


def test_programs_of_their_own_are_not_among_them() -> None:
    assert not {"curl", "python3", "ls", "tini"} & BUILTINS
