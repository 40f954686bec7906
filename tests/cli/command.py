"""The `lucid` command under test: in this process, or in one of its own where that is the point."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from lucid.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
LUCID = (sys.executable, "-m", "lucid.cli.main")
Capture = pytest.CaptureFixture[str]


class Done(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


def lucid(*words: object, cwd: Path = ROOT) -> Done:
    """Run `lucid` with these words, in a folder: a start of Python costs more than most of what commands do."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), chdir(cwd):
        try:
            status = main([str(word) for word in words])
        except SystemExit as ended:
            status = int(ended.code or 0)
    return Done(status, out.getvalue(), err.getvalue())


def environment(**more: str) -> dict[str, str]:
    """Of a user who sits in some other folder and whose Python warns of everything."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **more}


def process(*words: object, cwd: Path = ROOT, **more: str) -> Done:
    """Run `lucid` as a process of its own, with these variables besides."""
    command = [*LUCID, *map(str, words)]
    done = subprocess.run(command, cwd=cwd, env=environment(**more), capture_output=True, text=True, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


def assert_refused(done: Done, *says: str, status: int = 2) -> None:
    """One line on standard error, nothing else, and the exit status of bad usage or another one."""
    assert (done.status, done.out) == (status, ""), done
    assert re.fullmatch(r"lucid: [^\n]+\n", done.err), done.err
    for each in says:
        assert each in done.err


def said(capsys: Capture) -> str:
    """What standard output got."""
    return capsys.readouterr().out.strip()


def failed(capsys: Capture, *arguments: str) -> str:
    """The one sentence of a command that cannot do what it was asked."""
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert not printed.out and printed.err.count("\n") == 1 and printed.err.startswith("lucid: ")
    return printed.err
