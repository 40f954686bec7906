"""What is different between two runs, or between two sweeps cell by cell, what got worse first."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec

from harness.estimate import estimate
from harness.measures import MEASURES, Measure
from harness.result import ResultError, read_result
from harness.sweep import SweepRun, read

FEW = 6
"""With fewer pairs of seeds no interval of their differences reaches 95 %: such a difference is told, not relied on."""


class CompareError(Exception):
    """Two folders cannot be compared; one sentence."""


class MeasureDifference(NamedTuple):
    """A figure before and after. `change` is relative; `worse_by` is the same, positive where it got worse.

    Between sweeps `least` and `most` are the interval of the changes seed by seed, as `change` is; two runs have none.
    `sure`: a single run is what it is; between sweeps, the interval does not hold zero.
    """

    cell: str
    measure: str
    before: float
    after: float
    change: float
    worse_by: float
    sure: bool
    least: float | None = None
    most: float | None = None


def compare(before: Path, after: Path) -> list[MeasureDifference]:
    """The differences of two folders, the worst first; raises `CompareError`."""
    if (before / "runs.jsonl").is_file() and (after / "runs.jsonl").is_file():
        found = _sweeps(_results(before), _results(after))
    elif (before / "metrics.json").is_file() and (after / "metrics.json").is_file():
        found = _runs(before, after)
    else:
        raise CompareError(f"{before} and {after} are not two runs (metrics.json) or two sweeps (runs.jsonl)")
    if not found:
        raise CompareError(f"{before} and {after} have no cell and seed in common")
    return sorted(found, key=lambda each: (-each.worse_by, each.cell, each.measure))


def _runs(before: Path, after: Path) -> list[MeasureDifference]:
    try:
        one, other = read_result(before), read_result(after)
    except ResultError as error:
        raise CompareError(str(error)) from None
    return [
        _difference("", measure, low, high, True)
        for measure in MEASURES
        if (low := measure.of(one)) is not None and (high := measure.of(other)) is not None
    ]


def _sweeps(before: list[SweepRun], after: list[SweepRun]) -> list[MeasureDifference]:
    """Seed by seed, so that what a seed draws is the same on both sides."""
    first = {(each.values, each.seed): each for each in before}
    pairs: dict[tuple[str, ...], list[tuple[SweepRun, SweepRun]]] = {}
    for each in after:
        other = first.get((each.values, each.seed))
        if other is not None:
            pairs.setdefault(each.values, []).append((other, each))
    return [
        found
        for values, cell in sorted(pairs.items())
        for measure in MEASURES
        if (found := _paired(" ".join(values), measure, cell)) is not None
    ]


def _paired(cell: str, measure: Measure, pairs: list[tuple[SweepRun, SweepRun]]) -> MeasureDifference | None:
    known = [
        (low, high)
        for one, other in pairs
        if (low := one.measures.get(measure.name)) is not None
        and (high := other.measures.get(measure.name)) is not None
    ]
    before, after = estimate([low for low, _ in known]), estimate([high for _, high in known])
    changes = estimate([high - low for low, high in known])
    if before is None or after is None or changes is None:
        return None
    sure = changes.n >= FEW and (changes.low > 0 or changes.high < 0)
    found = _difference(cell, measure, before.median, before.median + changes.median, sure)
    if not before.median:
        return found
    return found._replace(least=changes.low / before.median, most=changes.high / before.median)


def _difference(cell: str, measure: Measure, before: float, after: float, sure: bool) -> MeasureDifference:
    change = (after - before) / before if before else (0.0 if after == before else float("inf"))
    return MeasureDifference(cell, measure.name, before, after, change, -measure.better * change, sure)


def _results(folder: Path) -> list[SweepRun]:
    try:
        return read(folder / "runs.jsonl")
    except (OSError, msgspec.MsgspecError) as error:
        raise CompareError(f"{folder / 'runs.jsonl'}: {error}") from None
