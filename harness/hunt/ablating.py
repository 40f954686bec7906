"""Hunts without a safeguard each, over processes."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Literal

from harness.hunt.ablation import Ablation, without
from harness.hunt.judge import RunVerdict, judge
from harness.hunt.safeguards import SAFEGUARDS
from harness.hunt.swarm import draw
from harness.workers import spread


def ablate(name: str, profile: str, seeds: int, go_on: bool) -> Ablation:
    """Hunt without a safeguard, seed after seed, up to the first that fails unless it is to `go_on`.

    Without a profile the safeguard names it.
    """
    profile = profile or SAFEGUARDS[name].profile
    done = failed = 0
    first: int | None = None
    verdict: RunVerdict | Literal[""] = ""
    invariant = ""
    with without(name):
        for seed in range(seeds):
            outcome = judge(draw(seed, profile))
            done += 1
            if outcome.verdict.failed:
                failed += 1
                if first is None:
                    first, verdict, invariant = seed, outcome.verdict, outcome.invariant
                if not go_on:
                    break
    return Ablation(name, profile, done, failed, first, verdict, invariant)


def ablated(names: Iterable[str], profile: str, seeds: int, jobs: int, go_on: bool) -> Generator[Ablation]:
    """Ablations over `jobs` processes, in the order in which they come to an end."""
    return spread(ablate, ((name, profile, seeds, go_on) for name in names), jobs, lambda each: each.name)
