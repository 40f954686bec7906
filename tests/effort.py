"""What work costs, told so that a slow machine changes nothing: a ratio within one run, or a bound for what hangs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HANG_S = 60.0
"""Processor time, not time of day: what else the machine does is no matter. An exponential end takes hours."""


@contextmanager
def no_hang() -> Iterator[None]:
    """What happens within is done before `HANG_S` of this process's time."""
    began = time.process_time()
    yield
    assert time.process_time() - began < HANG_S, "this grows faster than its input"


def growth(work: Callable[[int], object], size: int, factor: int) -> float:
    """How many times as much `work(factor * size)` takes as `work(size)`: about `factor` where it is linear."""
    took: list[float] = []
    for each in (size, factor * size):
        began = time.process_time()
        work(each)
        took.append(time.process_time() - began)
    return took[1] / took[0]
