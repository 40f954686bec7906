"""Runs a function for many arguments over processes, and yields what they return as it comes."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from typing import Any, TypeVar

Returned = TypeVar("Returned")

AHEAD = 4
"""Calls that wait for each process, so that none is ever idle and an endless stream of arguments is not read ahead."""


def spread(
    function: Callable[..., Returned],
    arguments: Iterable[tuple[Any, ...]],
    jobs: int,
    order: Callable[[Returned], Any],
) -> Generator[Returned]:
    """Call `function` with each of the arguments over `jobs` processes; yields results as they come to an end.

    Those that end together come by `order`. Closing the iterator ends the processes: what they had in hand is lost.
    """
    waiting = iter(arguments)
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_leave_signals_alone)
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
        # Asked for before the shutdown, which forgets them.
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        # Spares the processes what they have in hand: a run may take a minute, an ablation an hour.
        for process in processes:
            process.terminate()


def _leave_signals_alone() -> None:
    """Ctrl-C is for the process that waits; it ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
