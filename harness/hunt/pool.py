"""Runs seeds over processes: each is judged by itself, some of them twice, and what is known is known at once."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context

from harness.hunt.judge import Outcome, Verdict, judge
from harness.hunt.record import Judged
from harness.hunt.swarm import draw

TWICE_EVERY = 20
"""One seed in so many is run twice: its trace must be the same."""

AHEAD = 4
"""Seeds that wait for each process, so that none is ever idle."""

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
            outcome = outcome._replace(verdict=Verdict.UNSTABLE, invariant="determinism", reason=reason)
    return Judged(seed, outcome, time.perf_counter() - began)


def judged(seeds: Iterable[int], profile: str, jobs: int, judge_one: Judge = judge_seed) -> Generator[Judged]:
    """Judge seeds over `jobs` processes, in the order in which they come to an end.

    Closing the iterator lets the processes go; what they had in hand is lost.
    """
    waiting = iter(seeds)
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_leave_signals_alone)
    running: set[Future[Judged]] = set()
    try:
        while True:
            for seed in waiting:
                running.add(pool.submit(judge_one, seed, profile))
                if len(running) >= jobs * AHEAD:
                    break
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for each in sorted(done, key=lambda future: future.result().seed):
                yield each.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        # Spares the processes what they have in hand: a run may take a minute.
        for process in list((pool._processes or {}).values()):
            process.terminate()


def _leave_signals_alone() -> None:
    """Ctrl-C is for the process that hunts; it ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


__all__ = ["AHEAD", "TWICE_EVERY", "Outcome", "judge_seed", "judged"]
