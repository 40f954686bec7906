"""The measures that runs are compared by: where each stands in the figures of a run, and which way is better."""

from __future__ import annotations

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
