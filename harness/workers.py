"""Runs a function for many arguments over processes here, or over a Dask cluster, and yields what they return."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from typing import Any, TypeVar

from harness.cluster import Cluster

Returned = TypeVar("Returned")

AHEAD = 4
"""Calls that wait for each process, so that none is ever idle and an endless stream of arguments is not read ahead."""

Workers = int | Cluster
"""Where calls are made: so many processes on this machine, or a cluster."""


def spread(
    function: Callable[..., Returned],
    arguments: Iterable[tuple[Any, ...]],
    workers: Workers,
    order: Callable[[Returned], Any],
) -> Generator[Returned]:
    """Call `function` with each of the arguments over the workers; yields results as they come to an end.

    Those that end together come by `order`. Closing the iterator ends local processes, and gives up what a cluster has
    in hand: that is lost.
    """
    waiting = iter(arguments)
    jobs = workers if isinstance(workers, int) else workers.jobs
    pool: Executor = _processes(workers) if isinstance(workers, int) else workers.executor()
    running: set[Future[Returned]] = set()
    try:
        while True:
            for each in waiting:
                running.add(pool.submit(function, *each))
                if len(running) >= jobs * AHEAD:
                    break
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from sorted((future.result() for future in done), key=order)
    finally:
        if isinstance(pool, ProcessPoolExecutor):
            _abandon(pool)
        else:
            pool.shutdown(wait=False)  # gives up what has not begun


def jobs_of(workers: Workers) -> int:
    """How many calls run at once."""
    return workers if isinstance(workers, int) else workers.jobs


def _processes(jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_leave_signals_alone)


def _abandon(pool: ProcessPoolExecutor) -> None:
    """End the processes, and spare them what they have in hand: a run may take a minute, an ablation an hour."""
    # Asked for before the shutdown, which forgets them.
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()


def _leave_signals_alone() -> None:
    """Ctrl-C is for the process that waits; it ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
