"""The measures that runs are compared by: where each stands in the figures of a run, and which way is better."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from operator import attrgetter
from typing import NamedTuple

from harness.result import RunResult


class Measure(NamedTuple):
    """A figure by its path in a run's result, and so in `metrics.json`; `better` is -1 where less is better, else 1."""

    name: str
    path: str
    unit: str
    better: int = -1

    def of(self, result: RunResult) -> float | None:
        """Its value in a run's result; None where the run has none."""
        value: float | None = attrgetter(self.path)(result)
        return None if value is None else float(value)


MEASURES = (
    Measure("finality p50", "finality_ms.p50", "ms"),
    Measure("finality p99", "finality_ms.p99", "ms"),
    Measure("finality ratio", "finality_ratio", ""),
    Measure("tick to finality p50", "halts.wait_ms.p50", "ms"),
    Measure("tick to finality p99", "halts.wait_ms.p99", "ms"),
    Measure("longest halt", "halts.longest_ms", "ms"),
    Measure("propagation p50", "propagation_ms.p50", "ms"),
    Measure("propagation p99", "propagation_ms.p99", "ms"),
    Measure("session latency p50", "sessions.latency_ms.p50", "ms"),
    Measure("session latency p99", "sessions.latency_ms.p99", "ms"),
    Measure("final transactions per second", "transactions_per_second", "/s", 1),
    Measure("final blocks", "blocks.final", "", 1),
    Measure("missed views", "missed_views", ""),
    Measure("messages per node per block", "traffic.messages_per_node_block", ""),
    Measure("bytes per node per block", "traffic.bytes_per_node_block", "B"),
    Measure("leader Gini", "leaders.gini", ""),
    Measure("lying pays", "leaders.lying_pays", ""),
)

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
