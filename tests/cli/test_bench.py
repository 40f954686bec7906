"""`lucid bench`: rows for people and programs, and an exit status that says whether a figure was missed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.bench import device
from harness.bench.row import Row, Say
from tests.cli.command import assert_refused, lucid

KEPT = Row("speed", "blocks a second", 1_234.5, "at least 1000", True)
MISSED = Row("speed", "bytes a block", 99.0, "at most 50", False)
FREE = Row("core", "sign: us", 40.0, "", None)
SUBJECTS = {"sim": "simulator.bench_sim", "services": "services.bench_services", "data": "data.bench_data"}


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest) -> str:
    """What is measured."""
    return str(request.param)


def measured(patch: pytest.MonkeyPatch, subject: str, *rows: Row, error: Exception | None = None) -> list[Any]:
    """Have a bench find these rows, or fail; returns what it is asked to measure."""
    asked: list[Any] = []

    def bench(only: list[str] | None, say: Say) -> list[Row]:
        asked.append(only)
        say("measuring")
        if error is not None:
            raise error
        return list(rows)

    patch.setattr(f"harness.bench.{SUBJECTS[subject]}", bench)
    return asked


def test_figures_are_lines_and_what_goes_on_is_beside_them(subject: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = measured(monkeypatch, subject, KEPT, FREE)
    assert lucid("bench", subject) == (0, f"{KEPT.line()}\n{FREE.line()}\n", "measuring\n")
    assert asked == [None], "all of it unless told"


def test_a_figure_that_is_missed_is_the_exit_status(subject: str, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, subject, KEPT, MISSED)
    done = lucid("bench", subject)
    assert done.status == 1 and "MISSED" in done.out


def test_programs_are_told_the_same(subject: str, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, subject, KEPT, MISSED, FREE)
    done = lucid("bench", subject, "--json")
    assert done.status == 1
    assert json.loads(done.out) == [each._asdict() for each in (KEPT, MISSED, FREE)]


def test_parts_may_be_named(subject: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = measured(monkeypatch, subject, KEPT)
    first, second = {"sim": ("day", "week"), "services": ("json", "stop"), "data": ("read", "lost")}[subject]
    assert lucid("bench", subject, "--only", first, "--only", second).status == 0
    assert asked == [[first, second]]
    assert_refused(lucid("bench", subject, "--only", "taste"), "'taste'")


def test_a_disk_that_cannot_be_measured_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, "data", error=OSError(28, "No space left on device"))
    done = lucid("bench", "data")
    assert (done.status, done.out) == (2, "")
    assert done.err == "measuring\nlucid: this folder's disk cannot be measured: No space left on device\n"


def test_ctrl_c_is_one_line(subject: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(only: object, say: object) -> list[Row]:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"harness.bench.{SUBJECTS[subject]}", pressed)
    assert lucid("bench", subject) == (130, "", "lucid: interrupted\n")


def test_a_device_is_measured_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "ROUNDS", 3)
    done = lucid("bench", "pi", "--writes", "8", cwd=tmp_path)
    assert done.status == 0 and "vrf_verify, median: us" in done.out and "for CPUS" in done.err
    assert not list(tmp_path.iterdir())
    for few in ("0", "-1"):
        assert_refused(lucid("bench", "pi", "--writes", few), "--writes must be 1 or more")
