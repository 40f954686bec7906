"""`lucid sim sweep`: many runs at once."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from lucid.cli.failure import INTERRUPTED, Failure
from lucid.cli.workers import add_workers, chosen_workers, said
from lucid.interrupts import terminable

if TYPE_CHECKING:
    from harness.grid import Axis
    from harness.sweep import Sweep
    from harness.workers import Workers
    from sim.scenario import Scenario

NOT_PASSED = 10
"""Exit status when a run did not pass."""


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid sim sweep`."""
    sweep = actions.add_parser(
        "sweep",
        help="run a grid of scenarios with several seeds",
        description="Run every combination of the values given with commas, each with several seeds, over all cores. "
        "Median and interval over the seeds of each figure are written as a report and as CSV. An interrupted sweep "
        "goes on where it was when the same command is given again with its --out.",
        epilog="Exit status: 0 all runs passed, 10 some did not, 130 interrupted (what is done is kept), 2 bad usage.",
    )
    sweep.add_argument("scenario", nargs="?", default="default", metavar="SCENARIO", help="a name or a TOML file")
    sweep.add_argument("--nodes", metavar="N[,N]", help="numbers of nodes; the same as --set nodes=N,N")
    sweep.add_argument(
        "--set", action="append", default=[], dest="settings", metavar="KEY=VALUE[,VALUE]",
        help="a key of the scenario and its values, such as loss=0,5%% or block_interval=2s,10s",
    )  # fmt: skip
    sweep.add_argument("--fault", action="append", default=[], metavar="WORDS", help="a fault of every run")
    sweep.add_argument("--duration", metavar="TIME", help="simulated time of each run")
    sweep.add_argument("--seeds", type=int, default=5, metavar="N", help="seeds of each cell (default 5)")
    add_workers(sweep)
    sweep.add_argument("--out", type=Path, metavar="DIR", help="folder of the sweep (default: a new one under runs/)")
    sweep.add_argument("--parquet", action="store_true", help="write sweep.parquet too (needs the extra analysis)")
    sweep.add_argument("--json", action="store_true", help="print every cell as JSON")
    sweep.set_defaults(run=run_sweep)


def run_sweep(options: argparse.Namespace) -> int:
    """`lucid sim sweep`."""
    from harness.sweep import Sweep
    from sim.scenarioerror import ScenarioError

    if options.seeds < 1:
        raise Failure("--seeds takes a whole number of 1 or more")
    try:
        base, axes = _base(options)
        folder = _folder(options.out, base.name)
        sweep = Sweep(base, axes, range(base.seed, base.seed + options.seeds), folder)
    except ScenarioError as error:
        raise Failure(str(error)) from None
    interrupted = False
    with chosen_workers(options) as workers:
        try:
            with terminable():
                _go(sweep, workers)
        except KeyboardInterrupt:
            interrupted = True
    _write(folder, base.name, sweep, options.parquet)
    _print(options.json, sweep, folder)
    if interrupted:
        _say(f"interrupted: {len(sweep.waiting)} runs are missing; go on by --out {folder}")
        return INTERRUPTED
    return 0 if all(each.passed for cell in sweep.cells for each in sweep.of(cell)) else NOT_PASSED


def _go(sweep: Sweep, workers: Workers) -> None:
    """Make the runs that are missing, and say so of each."""
    from harness.workers import jobs_of

    waiting = len(sweep.waiting)
    _say(f"{len(sweep.cells)} cells, {len(sweep.seeds)} seeds: {waiting} runs to make over {said(workers)}")
    if not waiting:
        return
    _say(f"about {_minutes(sweep.cost_s(jobs_of(workers)))}")
    with closing(sweep.go(workers)) as results:
        for number, result in enumerate(results, 1):
            words = " ".join(f"{key}={value}" for key, value in sweep.words(result).items())
            _say(f"[{number}/{waiting}] {words} seed={result.seed}: {result.verdict} in {result.seconds:.1f} s")


def _base(options: argparse.Namespace) -> tuple[Scenario, list[Axis]]:
    """The scenario that all cells share, and the axes: what was given with commas, else one value each."""
    from harness.grid import Axis
    from sim.scenarioerror import ScenarioError
    from sim.scenariofile import load
    from sim.words import with_words

    settings = [*([f"nodes={options.nodes}"] if options.nodes else []), *options.settings]
    plain = [f"duration={options.duration}"] if options.duration else []
    axes = []
    for setting in settings:
        key, equals, values = setting.partition("=")
        words = tuple(value.strip() for value in values.split(",") if value.strip())
        if not equals or not words:
            raise ScenarioError(f"{setting!r} is not KEY=VALUE[,VALUE]")
        axes.append(Axis(key.strip(), words))
    if not axes:
        axes = [Axis("nodes", (str(load(options.scenario).nodes),))]
    return with_words(load(options.scenario), plain, options.fault), axes


def _folder(out: Path | None, name: str) -> Path:
    folder, number = out or Path("runs") / f"sweep-{name}", 1
    while out is None and folder.exists():
        number += 1
        folder = Path("runs") / f"sweep-{name}.{number}"
    if folder.exists() and not folder.is_dir():
        raise Failure(f"--out {folder} is not a folder")
    return folder


def _write(folder: Path, name: str, sweep: Sweep, parquet: bool) -> None:
    from harness.report.curves import page

    rows = sweep.rows()
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    (folder / "sweep.csv").write_text(text.getvalue(), "utf-8")
    if parquet and rows:
        import pyarrow as pa
        from pyarrow.parquet import write_table

        write_table(pa.Table.from_pylist(rows), folder / "sweep.parquet")
    (folder / "report.html").write_text(page(f"{name}: {' by '.join(axis.key for axis in sweep.axes)}", sweep), "utf-8")


def _print(as_json: bool, sweep: Sweep, folder: Path) -> None:
    from harness.measures import MEASURES
    from harness.report.curves import interval_text

    if as_json:
        cells = [
            {
                "cell": {axis.key: value for axis, value in zip(sweep.axes, cell.values, strict=True)},
                "runs": len(sweep.of(cell)),
                "passed": sum(each.passed for each in sweep.of(cell)),
                "measures": {
                    measure.name: found._asdict()
                    for measure in MEASURES
                    if (found := sweep.estimate(cell, measure)) is not None
                },
            }
            for cell in sweep.cells
        ]
        print(json.dumps({"folder": str(folder), "cells": cells}))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table()
    shown = [each for each in MEASURES if each.name in ("finality p50", "finality p99", "longest halt")]
    for name in (*(axis.key for axis in sweep.axes), "passed", *(measure.name for measure in shown)):
        table.add_column(name)
    for cell in sweep.cells:
        results = sweep.of(cell)
        passed = f"{sum(each.passed for each in results)}/{len(results)}"
        table.add_row(*cell.values, passed, *(interval_text(each, sweep.estimate(cell, each)) for each in shown))
    Console().print(table)
    print(f"report      {folder / 'report.html'}\nrows        {folder / 'sweep.csv'}")


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"


def _say(words: str) -> None:
    print(f"lucid: {words}", file=sys.stderr, flush=True)
