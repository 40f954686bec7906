"""How tests wait for what happens elsewhere: by looking again and again, for longer than a busy machine takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import trio

T = TypeVar("T")

PATIENCE_S = 120.0
"""What takes this long hangs."""
TRIO_LOOK_S, LOOK_S = 0.01, 0.1
"""Within a process looking is cheap; at another one it is a request."""


async def until(holds: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    """Wait, in trio, until something is so. Raises `trio.TooSlowError`."""
    with trio.fail_after(within_s):
        while not holds():
            await trio.sleep(TRIO_LOOK_S)


def wait_until(looks: Callable[[], T], what: str = "it", within_s: float = PATIENCE_S) -> T:
    """Wait until `looks` gives something that is true, and return that. Fails with `what` was waited for."""
    deadline = time.monotonic() + within_s
    while not (found := looks()):
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(LOOK_S)
    return found
