"""Runs seeds over processes: each is judged by itself, some of them twice, and what is known is known at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable

from harness.hunt.judge import RunVerdict, judge
from harness.hunt.record import Judged
from harness.hunt.swarm import draw
from harness.workers import Workers, spread

TWICE_EVERY = 20
"""One seed in so many is run twice: its trace must be the same."""

Judge = Callable[[int, str], Judged]


def judge_seed(seed: int, profile: str) -> Judged:
    """Judge one seed, and judge it again where it is one in twenty."""
    began = time.perf_counter()
    scenario = draw(seed, profile)
    outcome = judge(scenario)
    if seed % TWICE_EVERY == 0:
        again = judge(scenario)
        if again[:-1] != outcome[:-1]:
            reason = f"{outcome.trace_hash[:16]} {outcome.verdict}, then {again.trace_hash[:16]} {again.verdict}"
            outcome = outcome._replace(verdict=RunVerdict.UNSTABLE, invariant="determinism", reason=reason)
    return Judged(seed, outcome, time.perf_counter() - began)


def judged(seeds: Iterable[int], profile: str, workers: Workers, judge_one: Judge = judge_seed) -> Generator[Judged]:
    """Judge seeds over so many processes, or a cluster, in the order in which they come to an end.

    Closing the iterator lets the processes go; what they had in hand is lost.
    """
    return spread(judge_one, ((seed, profile) for seed in seeds), workers, lambda each: each.seed)
