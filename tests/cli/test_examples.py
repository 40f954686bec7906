"""Help texts: every command has an example, and every example is a command line that the parser takes."""

from __future__ import annotations

import argparse
import shlex

import pytest

from lucid.cli import deploy
from lucid.cli.examples import EXAMPLES, commands
from lucid.cli.main import main, parser


def leaves() -> list[argparse.ArgumentParser]:
    """The parsers that run something themselves."""
    return [
        each
        for each in commands(parser())
        if not any(isinstance(action, argparse._SubParsersAction) for action in each._actions)
    ]


def test_every_command_has_an_example_that_its_help_shows() -> None:
    for command in leaves():
        assert command.prog in EXAMPLES, f"{command.prog} has no example"
        words = command.format_help()
        for line in EXAMPLES[command.prog]:
            assert f"\n  {line}\n" in words


@pytest.mark.parametrize(("command", "line"), [(name, line) for name, lines in EXAMPLES.items() for line in lines])
def test_every_example_is_a_command_line(command: str, line: str) -> None:
    words = shlex.split(line.split(" > ", maxsplit=1)[0])
    assert line.startswith(command)
    assert words[0] == "lucid"
    options = parser().parse_args(deploy.expand(words[1:]))
    assert callable(options.run)


def test_no_example_is_of_a_command_that_is_gone() -> None:
    assert set(EXAMPLES) - {"lucid"} <= {each.prog for each in commands(parser())}


def test_no_arguments_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "lucid sim run\n" in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_names_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for name in ("sim", "smoke", "devnet", "verify"):
        assert name in script
