"""The median of independent runs, with an interval that holds the true one with a stated confidence."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import NamedTuple

CONFIDENCE = 0.95


class Estimate(NamedTuple):
    """The median over seeds, and an interval that holds the true median with the stated confidence."""

    median: float
    low: float
    high: float
    confidence: float
    n: int


def estimate(values: Sequence[float]) -> Estimate | None:
    """The median of independent runs with an interval from order statistics, which assumes nothing of their shape.

    With fewer than six runs no interval reaches 95 %: it is then the whole range, and says its confidence.
    """
    ordered = sorted(values)
    count = len(ordered)
    if not count:
        return None
    # The k-th smallest and the k-th largest hold the median unless fewer than k lie on one side of it.
    rank, covered = 1, _covered(count, 1)
    while rank + 1 <= (count + 1) // 2 and _covered(count, rank + 1) >= CONFIDENCE:
        rank += 1
        covered = _covered(count, rank)
    middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    return Estimate(middle, ordered[rank - 1], ordered[count - rank], covered, count)


def _covered(count: int, rank: int) -> float:
    """The chance that the median of a distribution lies between the rank-th smallest and largest of its samples."""
    return max(0.0, 1 - 2 * sum(comb(count, below) for below in range(rank)) / float(2**count))
