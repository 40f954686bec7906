"""`lucid sim twins`: how many of how many cases were run, and that it goes on where it was."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from harness.hunt.record import read
from tests.cli.command import assert_refused, lucid
from tests.interrupting import interrupt


def test_all_cases_are_run_once_and_counted(tmp_path: Path) -> None:
    words = ("sim", "twins", "--rounds", "1", "--jobs", "1", "--out", tmp_path / "twins.jsonl")
    done = lucid(*words)
    assert done.status == 0
    assert done.out.startswith(
        "15 of 15 cases of 1 rounds and at most 2 groups (64 with names) were run: 15 pass; 15 of"
    )
    again = json.loads(lucid(*words, "--json").out)
    assert (again["run"], again["run_now"], again["failed"], again["verdicts"]) == (15, 0, [], {"pass": 15})


def test_a_failing_case_is_kept_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "twins.jsonl"
    monkeypatch.setattr(
        "harness.hunt.pool.spread", lambda function, arguments, *_: (function(*each) for each in arguments)
    )
    monkeypatch.setattr("lucid.machines.engine.Engine._vote_finalize", lambda *_: [])
    done = lucid("sim", "twins", "--rounds", "1", "--groups", "1", "--jobs", "1", "--out", out)
    assert done.status == 20 and "2 of 2 cases" in done.out and "  case 0: stuck: progress: " in done.out
    assert [line.scenario is not None for line in read(out)] == [True, True]


def test_when_the_time_is_over_it_says_so_by_its_status(tmp_path: Path) -> None:
    done = lucid("sim", "twins", "--minutes", "1e-9", "--jobs", "1", "--out", tmp_path / "twins.jsonl")
    assert (done.status, done.out.partition(" were run")[0]) == (
        10, "0 of 25,740 cases of 3 rounds and at most 2 groups (262,144 with names)"
    )  # fmt: skip


def test_sigterm_keeps_what_was_run(tmp_path: Path) -> None:
    out = tmp_path / "twins.jsonl"
    words = ["sim", "twins", "--jobs", "1", "--out", str(out)]
    status, printed, said = interrupt(
        words, signal.SIGTERM, lambda pid: out.exists() and out.read_bytes().count(b"\n") >= 5
    )
    assert status == 130 and "run again to go on" in said and "Traceback" not in said
    assert len(read(out)) >= 4 and " of 25,740 cases" in printed


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--rounds", "0"], "--rounds must be 1 to 5, is 0"),
        (["--groups", "6"], "--groups must be 1 to 5, is 6"),
        (["--minutes", "0"], "--minutes must be above 0, is 0"),
    ],
)
def test_a_scope_that_there_is_not_is_one_sentence(words: list[str], says: str, tmp_path: Path) -> None:
    assert_refused(lucid("sim", "twins", *words, "--out", tmp_path / "twins.jsonl"), says)
