"""`lucid sim sweep` as people and CI see it: axes, rows, a table, and the exit status."""

from __future__ import annotations

import csv
import json
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

from harness.grid import key_of
from harness.measures import MEASURES
from harness.sweep import Sweep, SweepRun
from harness.verdict import RunVerdict
from harness.workers import Workers
from lucid.cli.sweep import NOT_PASSED
from sim.scenario import Scenario
from sim.scenariochecks import changed
from tests.cli.command import Done, assert_refused, lucid


class Runs:
    """What runs come to: those with a seed in `failing` do not pass, and SIGTERM comes after so many."""

    def __init__(self) -> None:
        self.failing: set[int] = set()
        self.enough: int | None = None
        self.made: list[tuple[tuple[str, ...], int]] = []
        self.scenarios: list[Scenario] = []
        self.where: Workers = 0

    def go(self, sweep: Sweep, workers: Workers) -> Generator[SweepRun]:
        """See `Sweep.go`."""
        self.where = workers
        for number, (cell, scenario) in enumerate(list(sweep.waiting)):
            if number == self.enough:
                signal.raise_signal(signal.SIGTERM)
            self.made.append((cell.values, scenario.seed))
            self.scenarios.append(scenario)
            bad = scenario.seed in self.failing
            result = SweepRun(
                values=cell.values,
                seed=scenario.seed,
                key=key_of(changed(cell.scenario, seed=scenario.seed)),
                verdict=RunVerdict.NO_PROGRESS if bad else RunVerdict.PASS,
                reason="",
                trace_hash="ab",
                seconds=2.0,
                measures={each.name: float(100 + scenario.seed) for each in MEASURES},
            )
            sweep._keep(result)
            yield result


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    """All of them pass."""
    made = Runs()

    def go(sweep: Sweep, workers: Workers) -> Generator[SweepRun]:
        return made.go(sweep, workers)

    monkeypatch.setattr(Sweep, "go", go)
    monkeypatch.setattr(Sweep, "cost_s", lambda sweep, jobs: 100.0 * jobs)
    return made


def sweep(folder: Path, *words: object) -> Done:
    """Run `lucid sim sweep` there."""
    return lucid("sim", "sweep", *words, cwd=folder)


def test_each_value_is_run_with_each_seed(runs: Runs, tmp_path: Path) -> None:
    done = sweep(tmp_path, "--nodes", "1, 4", "--set", "loss=0,5%", "--seeds", 2, "--jobs", 3)
    cells = [(nodes, loss) for nodes in ("1", "4") for loss in ("0", "5%")]
    assert runs.made == [(cell, seed) for seed in (1, 2) for cell in cells] and runs.where == 3
    assert done.status == 0 and done.err.splitlines()[:3] == [
        "lucid: 4 cells, 2 seeds: 8 runs to make over 3 processes",
        "lucid: about 5 minutes",
        "lucid: [1/8] nodes=1 loss=0 seed=1: pass in 2.0 s",
    ]
    folder = tmp_path / "runs" / "sweep-default"
    with (folder / "sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["nodes"], row["loss"], row["seed"]) for row in rows] == [
        (*cell, seed) for cell in sorted(cells) for seed in "12"
    ]
    assert {row["finality_p50"] for row in rows} == {"101.0", "102.0"}
    assert not list(folder.glob("*.parquet")) and "default: nodes by loss" in (folder / "report.html").read_text()
    assert "│ 1     │ 0    │ 2/2" in done.out


def test_without_axes_it_is_the_scenario_with_some_seeds(runs: Runs, tmp_path: Path) -> None:
    told = json.loads(sweep(tmp_path, "one-node", "--json", "--out", "here", "--duration", "20s").out)
    assert told["folder"] == "here"
    [cell] = told["cells"]
    assert (cell["cell"], cell["runs"], cell["passed"]) == ({"nodes": "1"}, 5, 5)
    assert cell["measures"]["finality p50"] == {
        "median": 103.0, "low": 101.0, "high": 105.0, "confidence": 0.9375, "n": 5,
    }  # fmt: skip


def test_a_run_that_does_not_pass_has_a_status_of_its_own(runs: Runs, tmp_path: Path) -> None:
    runs.failing = {2}
    done = sweep(tmp_path, "--seeds", 2)
    assert done.status == NOT_PASSED and "1/2" in done.out and "seed=2: no_progress in" in done.err
    [cell] = json.loads(sweep(tmp_path, "--seeds", 2, "--json").out)["cells"]
    assert (cell["runs"], cell["passed"]) == (2, 1)


def test_every_run_is_of_the_scenario_that_was_asked_for(runs: Runs, tmp_path: Path) -> None:
    words = ("one-node", "--seeds", 1, "--set", "loss=0,5%", "--duration", "20s", "--fault", "pause node=0 at=5s")
    assert sweep(tmp_path, *words).status == 0
    assert [each.duration_ms for each in runs.scenarios] == [20_000] * 2
    assert [len(each.fault) for each in runs.scenarios] == [1, 2], "a loss is a fault too"


@pytest.mark.usefixtures("survived")
def test_what_was_interrupted_goes_on_where_it_was(runs: Runs, tmp_path: Path) -> None:
    runs.enough = 1
    done = sweep(tmp_path, "--seeds", 3, "--out", "here")
    assert done.status == 130 and done.err.endswith("lucid: interrupted: 2 runs are missing; go on by --out here\n")
    runs.enough = None
    assert sweep(tmp_path, "--seeds", 3, "--out", "here").status == 0
    assert [seed for _, seed in runs.made] == [1, 2, 3]
    assert "0 runs to make" in sweep(tmp_path, "--seeds", 3, "--out", "here").err and len(runs.made) == 3


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--seeds", "0"], "--seeds takes a whole number of 1 or more"),
        (["none"], "none"),
        (["--set", "loss"], "'loss' is not KEY=VALUE[,VALUE]"),
        (["--set", "loss=,"], "'loss=,' is not KEY=VALUE[,VALUE]"),
        (["--set", "no=1"], "no"),
        (["--fault", "luck"], "luck"),
        (["--out", "file"], "--out file is not a folder"),
    ],
)
def test_wrong_input_is_one_sentence_and_nothing_is_run(
    runs: Runs, tmp_path: Path, words: list[str], says: str
) -> None:
    (tmp_path / "file").touch()
    assert_refused(sweep(tmp_path, *words), says)
    assert not runs.made
