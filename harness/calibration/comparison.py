"""The table of a calibration: a real run beside simulated ones, the differences, and which are within bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import Struct

from harness.calibration.meter import MeterReading

FINALITY = 0.10
"""The share by which a simulated percentile of finality may be off."""
TRAFFIC = 0.02
"""The same for messages and bytes."""


class Figure(NamedTuple):
    """What is compared; `within` is the share that it may be off by, None if it is to lie among the repeated runs."""

    name: str
    unit: str
    of: Callable[[MeterReading], float | None]
    within: float | None


FIGURES = (
    Figure("finality p50", "ms", lambda found: found.finality_ms.p50, FINALITY),
    Figure("finality p90", "ms", lambda found: found.finality_ms.p90, FINALITY),
    Figure("finality p99", "ms", lambda found: found.finality_ms.p99, None),
    Figure("messages per block", "", lambda found: found.messages_per_block, TRAFFIC),
    Figure("bytes per block", "B", lambda found: found.bytes_per_block, TRAFFIC),
)


class ComparisonLine(Struct, frozen=True, kw_only=True):
    """A line of the table: the real figure, the median of the simulated runs, and the least and largest of them.

    `difference` is the share by which the simulated figure is larger; with fewer samples than a figure takes, it and
    whether it `holds` are None.
    """

    figure: str
    unit: str
    real: float | None
    simulated: float | None
    least: float | None
    largest: float | None
    difference: float | None
    allowed: str
    holds: bool | None


def compare(real: MeterReading, simulated: Sequence[MeterReading]) -> list[ComparisonLine]:
    """The table of a real run and of simulated ones with different seeds."""
    return [_line(figure, real, simulated) for figure in FIGURES]


def _line(figure: Figure, real: MeterReading, simulated: Sequence[MeterReading]) -> ComparisonLine:
    ours = figure.of(real)
    theirs = sorted(value for value in map(figure.of, simulated) if value is not None)
    middle = (theirs[(len(theirs) - 1) // 2] + theirs[len(theirs) // 2]) / 2 if theirs else None
    difference = middle / ours - 1 if ours and middle is not None else None
    holds: bool | None = None
    if ours is not None and theirs:
        if figure.within is None:
            holds = theirs[0] <= ours <= theirs[-1]
        else:
            holds = difference is not None and abs(difference) <= figure.within
    return ComparisonLine(
        figure=figure.name,
        unit=figure.unit,
        real=ours,
        simulated=middle,
        least=theirs[0] if theirs else None,
        largest=theirs[-1] if theirs else None,
        difference=None if difference is None else round(difference, 4),
        allowed="among the runs" if figure.within is None else f"{figure.within:.0%}",
        holds=holds,
    )
