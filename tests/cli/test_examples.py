"""Help texts: every command has an example, and every example is a command line that the parser takes."""

from __future__ import annotations

import argparse
import ast
import re
import shlex
from pathlib import Path

import pytest

import lucid
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
        assert "%%" not in words, f"{command.prog}: a doubled % is for help of options, not for descriptions"


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


def told() -> list[tuple[str, str]]:
    """What the code tells people to run, in backticks; and where."""
    found = []
    for path in sorted(Path(lucid.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found += [
                    (path.name, " ".join(each.split())) for each in re.findall(r"`(lucid [a-z][^`]*)", node.value)
                ]
    return found


def test_every_command_that_people_are_told_of_exists() -> None:
    """In remedies of /health, cures of refusals, help and documentation of code: an operator types what they say."""
    known = {each.prog for each in commands(parser())}
    lines = told()
    assert len(lines) > 20
    for place, line in lines:
        words = line.split()
        if words[1:2] == ["deploy"]:
            words = ["lucid", *deploy.expand(words[1:])]
        depth = max(number for number in range(1, len(words) + 1) if " ".join(words[:number]) in known)
        group = any(each.startswith(" ".join(words[:depth]) + " ") for each in known)
        # What a group of commands is named for is the group; a lower-case word after it would be one that is not there.
        assert depth > 1 and not (group and words[depth:] and words[depth].isalpha() and words[depth].islower()), (
            f"{place}: there is no `{line}`"
        )
