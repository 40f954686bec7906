"""`lucid completion`: a script for each shell that names every command, and that the shell takes."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from lucid.cli.completion import SHELLS
from lucid.cli.main import COMMANDS
from tests.cli.command import assert_refused, lucid


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_names_every_command_and_the_shell_takes_it(shell: str) -> None:
    done = lucid("completion", shell)
    assert (done.status, done.err) == (0, "")
    # What is made for tcsh completes no options.
    for name in (*COMMANDS, *(("--version", "--block-interval") if shell != "tcsh" else ())):
        assert name in done.out, f"{shell} completes no {name}"
    program = shutil.which(shell)
    if program is not None:
        checked = subprocess.run([program, "-n"], input=done.out, capture_output=True, text=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, "")


def test_a_shell_that_is_not_known_is_one_sentence() -> None:
    assert_refused(lucid("completion", "fish"), "'fish'", "bash")
    assert_refused(lucid("completion"), "SHELL")


def test_what_makes_the_scripts_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert_refused(lucid("completion", "bash"), "needs shtab: pip install", "[completion]'")
