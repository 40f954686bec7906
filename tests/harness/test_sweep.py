"""Sweeps and comparisons: every cell with every seed, kept as it comes, estimated with intervals that hold."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import msgspec
import pytest
from pyarrow.parquet import read_table

from harness.compare import CompareError, compare
from harness.estimate import estimate
from harness.grid import Axis, grid, key_of
from harness.measures import MEASURES
from harness.run import run
from harness.sweep import Sweep, SweepRun, measured, read
from harness.verdict import RunVerdict
from lucid.cli.main import main
from sim.scenario import Scenario
from sim.scenariochecks import changed
from sim.scenarioerror import ScenarioError
from tests.interrupting import heed_interrupts

BASE = changed(Scenario(), nodes=4, duration="30s", anchor_every_ms=5_000)
AXES = [Axis("nodes", ("1", "4")), Axis("loss", ("0", "5%"))]


def test_a_grid_is_every_combination() -> None:
    cells = grid(BASE, AXES)
    assert [cell.values for cell in cells] == [("1", "0"), ("1", "5%"), ("4", "0"), ("4", "5%")]
    assert [(cell.scenario.nodes, len(cell.scenario.fault)) for cell in cells] == [(1, 0), (1, 1), (4, 0), (4, 1)]
    with pytest.raises(ScenarioError, match="no such key"):
        grid(BASE, [Axis("no", ("1",))])


def test_a_median_interval_holds_the_median_as_often_as_it_says() -> None:
    random, held = Random(5), 0
    for _ in range(2_000):
        found = estimate([random.random() for _ in range(20)])
        assert found is not None and found.confidence >= 0.95
        held += found.low <= 0.5 <= found.high
    assert held / 2_000 >= 0.94


def test_few_runs_say_how_little_they_tell() -> None:
    assert estimate([]) is None
    found = estimate([3.0, 1.0, 2.0])
    assert found is not None and (found.median, found.low, found.high, found.confidence) == (2.0, 1.0, 3.0, 0.75)
    six = estimate([1.0] * 6)
    assert six is not None and six.confidence > 0.95


def test_measures_are_those_of_the_run() -> None:
    result = run(BASE)
    kept = measured(("4", "0"), BASE)
    assert kept.trace_hash == result.trace_hash and kept.key == key_of(BASE)
    assert kept.measures["finality p50"] == result.finality_ms.p50
    assert set(kept.measures) == {measure.name for measure in MEASURES}


def test_a_sweep_keeps_what_it_has_and_goes_on(tmp_path: Path) -> None:
    sweep = Sweep(BASE, AXES[:1], [1, 2], tmp_path)
    cells = sweep.cells
    assert len(sweep.waiting) == 4
    results = sweep.go(2)
    first = next(results)
    results.close()
    with (tmp_path / "runs.jsonl").open("ab") as file:
        file.write(b'{"values": ["4"], "se')  # killed while it wrote
    again = Sweep(BASE, AXES[:1], [1, 2], tmp_path)
    assert first.key in again.results and len(again.waiting) == 4 - len(again.results)
    assert {each.key for each in again.go(2)} == {
        key_of(changed(c.scenario, seed=s)) for c in cells for s in (1, 2)
    } - {first.key}
    assert again.waiting == []


def test_the_question_in_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sweep"
    words = ["sim", "sweep", "--nodes", "1,4", "--set", "loss=0,5%", "--duration", "30s", "--seeds", "2"]
    assert main([*words, "--out", str(out), "--json", "--jobs", "2", "--parquet"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [cell["cell"] for cell in printed["cells"]] == [
        {"nodes": nodes, "loss": loss} for nodes in ("1", "4") for loss in ("0", "5%")
    ]
    assert all((cell["runs"], cell["passed"]) == (2, 2) for cell in printed["cells"])
    with (out / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8 and {row["verdict"] for row in rows} == {"pass"}
    columns = read_table(out / "sweep.parquet").to_pydict()
    assert columns["trace_hash"] == [row["trace_hash"] for row in rows] and columns["seed"] == [1, 2] * 4
    page = (out / "report.html").read_text()
    assert "Finality p50" in page and "<script src" not in page
    assert main([*words, "--out", str(out), "--jobs", "2"]) == 0, "nothing is run twice"
    assert "0 runs to make" in capsys.readouterr().err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_sweep_leaves_what_it_has(tmp_path: Path, how: signal.Signals) -> None:
    words = ["sim", "sweep", "--nodes", "4", "--duration", "5m", "--seeds", "40", "--jobs", "1", "--out", "out"]
    command = [sys.executable, "-m", "lucid", *words]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        preexec_fn=heed_interrupts,  # noqa: PLW1509 - no lock is taken
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("lucid: [2/"):
                break
        os.kill(process.pid, how)
        said = process.stderr.read()
    assert process.returncode == 130
    assert "go on by --out out" in said and "Traceback" not in said
    assert len(read(tmp_path / "out" / "runs.jsonl")) >= 2
    assert "this is a part of the sweep" in (tmp_path / "out" / "report.html").read_text()


# -- compare -----------------------------------------------------------------------------------------------------


def sweep_folder(path: Path, shift: float, seeds: int = 8) -> Path:
    """A folder of a sweep of one cell, whose finality is so much higher."""
    path.mkdir()
    random = Random(1)
    lines = []
    for seed in range(seeds):
        measures: dict[str, float | None] = {"finality p50": 300 + random.random() + shift, "final blocks": 100 - shift}
        result = SweepRun(
            values=("4",),
            seed=seed,
            key=f"{seed}",
            verdict=RunVerdict.PASS,
            reason="",
            trace_hash="",
            seconds=1,
            measures=measures,
        )
        lines.append(msgspec.json.encode(result))
    (path / "runs.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    return path


def test_what_got_worse_comes_first_whichever_way_is_better(tmp_path: Path) -> None:
    found = compare(sweep_folder(tmp_path / "a", 0), sweep_folder(tmp_path / "b", 40))
    assert [(each.measure, each.sure) for each in found] == [("final blocks", True), ("finality p50", True)]
    assert found[0].worse_by == pytest.approx(0.4) and found[1].worse_by == pytest.approx(40 / 300, rel=0.01)


def test_few_seeds_make_nothing_sure(tmp_path: Path) -> None:
    found = compare(sweep_folder(tmp_path / "a", 0, 3), sweep_folder(tmp_path / "b", 40, 3))
    assert not any(each.sure for each in found)


def test_two_runs(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        run(changed(BASE, seed=seed, duration="2m"), tmp_path / name, trace_file=False)
    found = compare(tmp_path / "a", tmp_path / "b")
    assert {"finality p50", "final blocks"} <= {each.measure for each in found}
    with pytest.raises(CompareError):
        compare(tmp_path / "a", tmp_path)


# -- a cluster ---------------------------------------------------------------------------------------------------

CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    options = {"threads_per_worker": 1, "dashboard_address": None, "host": "127.0.0.1"}
    with LocalCluster(n_workers=2, **options) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a Dask cluster of two worker processes on this machine."""
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate("", timeout=60)


def test_a_cluster_makes_the_same_runs_as_this_machine(
    scheduler: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["sim", "sweep", "--nodes", "1,4", "--duration", "30s", "--seeds", "2"]
    assert main([*words, "--scheduler", scheduler, "--out", str(tmp_path / "there")]) == 0
    assert f"4 runs to make over 2 workers of {scheduler}" in capsys.readouterr().err
    assert main([*words, "--jobs", "1", "--out", str(tmp_path / "here")]) == 0
    here, there = (
        {each.key: each.trace_hash for each in read(tmp_path / at / "runs.jsonl")} for at in ("here", "there")
    )
    assert len(here) == 4 and here == there


def test_a_cluster_hunts(scheduler: str, tmp_path: Path) -> None:
    words = ["sim", "hunt", "--seeds", "2", "--first", "1", "--profile", "honest"]
    records = {"here": ["--jobs", "1"], "there": ["--scheduler", scheduler]}
    for name, where in records.items():
        assert main([*words, *where, "--out", str(tmp_path / name)]) == 0
    here, there = (sorted((tmp_path / name).read_text().splitlines()) for name in records)
    assert len(here) >= 2 and here == there


def test_a_cluster_that_is_not_there_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for address in ("tcp://127.0.0.1:1", "nonsense://there"):
        assert main(["sim", "sweep", "--scheduler", address, "--out", str(tmp_path / "out")]) == 2
        assert f"no Dask scheduler at {address}: " in capsys.readouterr().err
