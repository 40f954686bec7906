"""A sweep: a grid of scenarios, each run with several seeds over all cores; what is known is kept at once."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from harness.estimate import Estimate, estimate
from harness.grid import Axis, Cell, grid, key_of
from harness.measures import MEASURES, Measure
from harness.run import run
from harness.verdict import RunVerdict
from harness.workers import Workers, spread
from sim.scenario import Scenario
from sim.scenariochecks import changed

PROBE_MS = 20_000
"""Simulated time of the run that tells what a cell will cost."""


class SweepRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a cell: its verdict, and its measures by name."""

    values: tuple[str, ...]
    seed: int
    key: str
    verdict: RunVerdict
    reason: str
    trace_hash: str
    seconds: float
    measures: dict[str, float | None]

    @property
    def passed(self) -> bool:
        """Whether every invariant held to the end and the chain kept growing."""
        return self.verdict is RunVerdict.PASS


class Sweep:
    """A grid times seeds, and the results so far; `folder` keeps one JSON line a run, and is gone on from.

    Raises `ScenarioError` for a combination that cannot be run.
    """

    def __init__(self, base: Scenario, axes: Sequence[Axis], seeds: Sequence[int], folder: Path | None = None) -> None:
        self.axes = list(axes)
        self.cells = grid(base, axes)
        self.seeds = list(seeds)
        self.results: dict[str, SweepRun] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self._path = None if folder is None else folder / "runs.jsonl"
        if self._path is not None and self._path.exists():
            self.results = {each.key: each for each in read(self._path)}

    @property
    def waiting(self) -> list[tuple[Cell, Scenario]]:
        """The runs still to be made: all cells with one seed before any with the next."""
        return [
            (cell, scenario)
            for seed in self.seeds
            for cell in self.cells
            if key_of(scenario := changed(cell.scenario, seed=seed)) not in self.results
        ]

    def of(self, cell: Cell) -> list[SweepRun]:
        """The results of a cell, by seed."""
        keys = (key_of(changed(cell.scenario, seed=seed)) for seed in self.seeds)
        return [self.results[key] for key in keys if key in self.results]

    def estimate(self, cell: Cell, measure: Measure) -> Estimate | None:
        """A measure of a cell over its seeds; None while no run has it."""
        values = [each.measures.get(measure.name) for each in self.of(cell)]
        return estimate([value for value in values if value is not None])

    def words(self, run: SweepRun) -> dict[str, str]:
        """The value of each axis that a run had."""
        return {axis.key: value for axis, value in zip(self.axes, run.values, strict=True)}

    def rows(self) -> list[dict[str, Any]]:
        """A flat row for each run, as CSV and Parquet have it."""
        runs = sorted(
            (each for cell in self.cells for each in self.of(cell)), key=lambda each: (each.values, each.seed)
        )
        return [
            {
                **self.words(each),
                "seed": each.seed,
                "verdict": str(each.verdict),
                **{name.replace(" ", "_"): value for name, value in each.measures.items()},
                "trace_hash": each.trace_hash,
            }
            for each in runs
        ]

    def cost_s(self, jobs: int) -> float:
        """About how many seconds the waiting runs will take: a short run of each cell, scaled up."""
        waiting = self.waiting
        total = 0.0
        for cell in self.cells:
            runs = sum(each is cell for each, _ in waiting)
            if runs:
                short = changed(cell.scenario, duration=min(PROBE_MS, cell.scenario.duration_ms), fault=[], calm=0)
                began = time.perf_counter()
                run(short)
                spent = time.perf_counter() - began
                total += runs * spent * cell.scenario.duration_ms / short.duration_ms
        return total / jobs

    def go(self, workers: Workers) -> Generator[SweepRun]:
        """Make the waiting runs over so many processes, or a cluster; each is yielded, and kept, as it comes to an end.

        Closing the iterator lets the processes go.
        """
        arguments = ((cell.values, scenario) for cell, scenario in self.waiting)
        with closing(spread(measured, arguments, workers, lambda result: result.key)) as results:
            for each in results:
                self._keep(each)
                yield each

    def _keep(self, result: SweepRun) -> None:
        self.results[result.key] = result
        if self._path is not None:
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(result) + b"\n")


def sweep(
    base: Scenario,
    axes: Mapping[str, Sequence[object]],
    *,
    seeds: int | Sequence[int] = 5,
    workers: Workers | None = None,
    folder: Path | None = None,
) -> Sweep:
    """Run every combination of the axes' values with each seed, over all cores, so many processes, or a cluster.

    Keys and values are those of `lucid sim sweep --set`: `{"nodes": [4, 10], "loss": ["0", "5%"]}`. With a folder, what
    is done is kept there, and gone on from. Raises `ScenarioError`.
    """
    words = [Axis(key, tuple(str(value) for value in values)) for key, values in axes.items()]
    chosen = range(base.seed, base.seed + seeds) if isinstance(seeds, int) else seeds
    found = Sweep(base, words, chosen, folder)
    for _ in found.go(workers or os.cpu_count() or 1):
        pass
    return found


def measured(values: tuple[str, ...], scenario: Scenario) -> SweepRun:
    """Run a scenario and keep its measures."""
    began = time.perf_counter()
    result = run(scenario)
    return SweepRun(
        values=values,
        seed=scenario.seed,
        key=key_of(scenario),
        verdict=result.verdict,
        reason=result.reason,
        trace_hash=result.trace_hash,
        seconds=round(time.perf_counter() - began, 3),
        measures={measure.name: measure.of(result) for measure in MEASURES},
    )


def read(path: Path) -> list[SweepRun]:
    """The results in a folder's file; a last line that was cut off is left out."""
    decoder = msgspec.json.Decoder(SweepRun)
    return [decoder.decode(line) for line in path.read_bytes().split(b"\n")[:-1] if line]
