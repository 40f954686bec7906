"""What judges simulated runs: invariants, the trace hash, metrics and the report a person looks at.

For programs and notebooks (docs/simulator.md, "From Python"): `run` and `sweep`, and what they return.
"""

from __future__ import annotations

from harness.policy import LeaderPolicy, Ranking
from harness.result import RunResult, read_result
from harness.run import run
from harness.sweep import Sweep, SweepRun, sweep
from harness.verdict import RunVerdict

__all__ = [
    "LeaderPolicy",
    "Ranking",
    "RunResult",
    "RunVerdict",
    "Sweep",
    "SweepRun",
    "read_result",
    "run",
    "sweep",
]
