"""Saturation: the same scenario under more and more load, up to the knee, and what latency costs on the way there."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from msgspec import Struct

from harness.run import run
from harness.verdict import RunVerdict
from sim.scenario import Scenario
from sim.scenariochecks import changed

SLACK_BLOCKS = 2
"""What came within so many block intervals of the end may still wait without being a backlog."""
REFUSED_PERCENT = 1
"""More refused or unanswered attempts than this, and the network does not keep up."""


class Load(Struct, frozen=True, kw_only=True):
    """One load: anchors a second that came and that became final, how long they took, and whether it kept up."""

    every_ms: int
    offered_per_s: float
    final_per_s: float
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    waiting: int
    refused: int
    verdict: RunVerdict
    kept_up: bool


def loads(base: Scenario, first_ms: int, bisections: int = 3) -> Generator[Load]:
    """Run a scenario with an anchor every `first_ms`, then twice as many, until it does not keep up; then in between.

    Between the largest load that was kept up with and the smallest that was not, so many more are tried.
    """
    every_ms, kept_ms = first_ms, None
    while True:
        load = measured(base, every_ms)
        yield load
        if not load.kept_up:
            break
        kept_ms = every_ms
        if every_ms == 1:
            return
        every_ms //= 2
    if kept_ms is None:
        return
    for _ in range(bisections):
        middle_ms = (kept_ms + every_ms) // 2
        if middle_ms in (kept_ms, every_ms):
            return
        load = measured(base, middle_ms)
        yield load
        if load.kept_up:
            kept_ms = middle_ms
        else:
            every_ms = middle_ms


def knee(found: Sequence[Load]) -> Load | None:
    """The largest load that was kept up with; None if there was none."""
    return max((each for each in found if each.kept_up), key=lambda each: each.offered_per_s, default=None)


def measured(base: Scenario, every_ms: int) -> Load:
    """Run a scenario under one load."""
    scenario = changed(base, anchor_every_ms=every_ms)
    result = run(scenario)
    sessions, seconds = result.sessions, max(result.duration_ms / 1000, 1e-9)
    interval_ms = scenario.parameters.get("block_interval_ms", 10_000)
    refused = sessions.refused + sessions.unanswered
    kept_up = (
        result.passed
        and sessions.waiting <= SLACK_BLOCKS * interval_ms / every_ms
        and refused * 100 <= REFUSED_PERCENT * sessions.attempts
    )
    return Load(
        every_ms=every_ms,
        offered_per_s=round(sessions.attempts / seconds, 3),
        final_per_s=sessions.final_per_second,
        latency_p50_ms=sessions.latency_ms.p50,
        latency_p99_ms=sessions.latency_ms.p99,
        waiting=sessions.waiting,
        refused=refused,
        verdict=result.verdict,
        kept_up=kept_up,
    )
