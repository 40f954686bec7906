"""The `lucid` command itself: help, version, wrong words, what it loads, and how it ends."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lucid import __version__
from lucid.cli.main import COMMANDS, parser
from tests.cli.command import LUCID, ROOT, assert_refused, environment, lucid, process


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), ("sim", "replay", "bench", "--version")),
        (("sim",), ("run", "list")),
        (("sim", "run"), ("--nodes", "--duration", "--seed", "--crypto", "--out", "--json", "Exit status: 0 pass")),
        (("sim", "list"), ("--json",)),
        (("replay",), ("JOURNAL", "Exit status: 0 no difference, 20 a difference, 2 bad usage")),
        (("bench", "sim"), ("--only", "Exit status")),
    ],
)
def test_help_names_what_there_is(words: tuple[str, ...], says: tuple[str, ...]) -> None:
    done = lucid(*words, "--help")
    assert (done.status, done.err) == (0, "")
    text = " ".join(done.out.split())
    assert text.startswith(" ".join(("usage: lucid", *words)))
    for each in says:
        assert each in text


def test_version() -> None:
    done = process("--version")
    assert re.fullmatch(
        rf"lucid {re.escape(__version__)} \(CPython 3\.\d+\.\w+(, commit [0-9a-f]+\+?)?\)\n", done.out
    ), done
    assert (done.status, done.err) == (0, "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("sin",), "'sin'"),
        (("sim",), "ACTION"),
        (("sim", "run", "--nodes"), "--nodes: expected one argument"),
        (("sim", "run", "--nodes", "few"), "--nodes: invalid int value: 'few'"),
        (("sim", "run", "--crypto", "rot13"), "--crypto: invalid choice: 'rot13'"),
        (("sim", "run", "--speed", "9"), "unrecognized arguments: --speed"),
        (("replay",), "JOURNAL"),
        (("bench", "sim", "--only", "taste"), "'taste'"),
        (("sim", "run", "--nodes", "0"), "nodes: must be at least 1"),
        (("sim", "run", "--nodes", "1025"), "nodes: must be at most 1024"),
        (("sim", "run", "--seed", "-1"), "seed: must be at least 0"),
        (("sim", "run", "--duration", "soon"), "duration: 'soon' is not a duration"),
        (("sim", "run", "--profile", "moon"), "profile: no 'moon'"),
        (("sim", "run", "split", "--nodes", "3"), "fault[0].groups: there is no node 3 among 3"),
        (("sim", "run", "nowhere"), "no scenario 'nowhere': neither a file nor one of chunks"),
        (("replay", "nowhere"), "there is no journal nowhere"),
    ],
)
def test_bad_usage_is_one_line(words: tuple[str, ...], says: str) -> None:
    assert_refused(lucid(*words), says)


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    command = " ".join([*LUCID, "sim", "list"])
    done = subprocess.run(
        ["sh", "-c", f"{command} | true"], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_line_itself_loads_nothing_heavy() -> None:
    code = "import sys, lucid.cli.main as m; m.parser(); print(*sorted({n.split('.')[0] for n in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    assert not {"sim", "harness", "simpy", "rich", "zstandard"} & set(done.stdout.split())


@pytest.mark.parametrize("command", [*COMMANDS])
def test_a_command_loads_itself_alone(command: str) -> None:
    [below] = [each.choices for each in parser(command)._actions if isinstance(each, argparse._SubParsersAction)]
    assert {*below} == {other for other, module in COMMANDS.items() if module == COMMANDS[command]}


def test_a_missing_extra_is_one_line_that_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "simpy.py").write_text("raise ModuleNotFoundError('no simpy', name='simpy')", "utf-8")
    done = process("sim", "run", cwd=tmp_path, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    assert_refused(done, "needs simpy", "pip install '.[sim]'")
