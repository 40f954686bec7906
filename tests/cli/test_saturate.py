"""`lucid sim saturate` as people and CI see it: a table of loads, the largest that was kept up with, and what is said
on the way."""

from __future__ import annotations

import csv
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from harness.saturate import Load
from harness.verdict import RunVerdict
from lucid.cli.saturate import NONE_KEPT_UP
from sim.scenario import Scenario
from tests.cli.command import Done, assert_refused, lucid


def a_load(every_ms: int, kept_up: bool) -> Load:
    """A load that was tried."""
    return Load(
        every_ms=every_ms,
        offered_per_s=1_000 / every_ms,
        final_per_s=0.5,
        latency_p50_ms=None,
        latency_p99_ms=400,
        waiting=3,
        refused=0,
        verdict=RunVerdict.PASS,
        kept_up=kept_up,
    )


FAST, SLOW = a_load(250, False), a_load(1_000, True)


class Loads:
    """What comes of the loads, and what was asked."""

    def __init__(self) -> None:
        self.found: list[Load] = [SLOW, FAST]
        self.terminated = False
        self.asked: list[tuple[Scenario, int]] = []

    def loads(self, base: Scenario, first_ms: int) -> Iterator[Load]:
        """See `harness.saturate.loads`."""
        self.asked.append((base, first_ms))
        yield from self.found
        if self.terminated:
            signal.raise_signal(signal.SIGTERM)


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> Loads:
    """Of two loads one was kept up with."""
    made = Loads()
    monkeypatch.setattr("harness.saturate.loads", made.loads)
    return made


def saturate(folder: Path, *words: object) -> Done:
    """Run `lucid sim saturate` there."""
    return lucid("sim", "saturate", *words, cwd=folder)


def rows(path: Path) -> list[str]:
    """The loads of a table."""
    with path.open(newline="") as file:
        return [row["every_ms"] for row in csv.DictReader(file)]


def test_the_largest_load_that_was_kept_up_with_is_the_answer(tried: Loads, tmp_path: Path) -> None:
    done = saturate(tmp_path, "--every", 500, "--nodes", 2, "--set", "loss=5%")
    said = ["1 offered, 0.5 final anchors/s: kept up", "4 offered, 0.5 final anchors/s: did not keep up"]
    assert (done.status, done.err) == (0, "".join(f"lucid: {each}\n" for each in said))
    assert done.out.splitlines()[0] == "kept up     1 anchors/s"
    [(base, first_ms)] = tried.asked
    assert (base.nodes, base.duration_ms, first_ms, len(base.fault)) == (2, 180_000, 500, 1)
    folder = tmp_path / "runs" / "saturate-default"
    assert rows(folder / "saturate.csv") == ["1000", "250"]
    page = (folder / "report.html").read_text("utf-8")
    assert "did not keep up" in page and "Interrupted" not in page


def test_rows_are_by_what_was_offered_whatever_came_first(tried: Loads, tmp_path: Path) -> None:
    tried.found = [SLOW, FAST, a_load(500, True)]
    told = json.loads(saturate(tmp_path, "--json", "--out", "here").out)
    assert rows(tmp_path / "here" / "saturate.csv") == ["1000", "500", "250"]
    assert [each["every_ms"] for each in told["loads"]] == [1_000, 500, 250] and told["kept_up_per_s"] == 2.0


def test_programs_are_told_every_load(tried: Loads, tmp_path: Path) -> None:
    told = json.loads(saturate(tmp_path, "--json", "--out", "here").out)
    assert told == {"folder": "here", "kept_up_per_s": 1.0, "loads": msgspec.to_builtins([SLOW, FAST])}


def test_a_network_that_keeps_up_with_nothing_has_a_status_of_its_own(tried: Loads, tmp_path: Path) -> None:
    tried.found = [FAST]
    done = saturate(tmp_path)
    assert done.status == NONE_KEPT_UP and done.out.startswith("kept up     no load\n")
    assert json.loads(saturate(tmp_path, "--json").out)["kept_up_per_s"] is None


@pytest.mark.usefixtures("survived")
@pytest.mark.parametrize("found", [[], [SLOW]])
def test_sigterm_leaves_what_was_tried(tried: Loads, tmp_path: Path, found: list[Load]) -> None:
    tried.found, tried.terminated = found, True
    done = saturate(tmp_path, "--out", "here")
    assert done.status == 130 and rows(tmp_path / "here" / "saturate.csv") == ["1000"] * len(found)
    assert "Interrupted: larger loads were not tried" in (tmp_path / "here" / "report.html").read_text("utf-8")


def test_each_has_a_folder_of_its_own_unless_one_is_named(tried: Loads, tmp_path: Path) -> None:
    for _ in range(2):
        assert saturate(tmp_path, "one-node").status == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
        "saturate-one-node",
        "saturate-one-node.2",
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--every", "0"], "--every takes a whole number of milliseconds of 1 or more"),
        (["--every", "soon"], "--every"),
        (["no-such-thing"], "no-such-thing"),
        (["--set", "nods=3"], "nods"),
        (["--nodes", "0"], "nodes"),
        (["--duration", "5x"], "duration"),
        (["--out", "file"], "--out file is not a folder"),
    ],
)
def test_wrong_input_is_one_sentence_and_nothing_is_run(
    tried: Loads, tmp_path: Path, words: list[str], says: str
) -> None:
    (tmp_path / "file").touch()
    assert_refused(saturate(tmp_path, *words), says)
    assert not tried.asked and not (tmp_path / "runs").exists()
