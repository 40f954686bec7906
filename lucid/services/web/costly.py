"""Work that takes much time or memory: one at a time, in a thread, and few may wait for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import trio

from lucid.api.errors import BUSY
from lucid.chain.errors import Code
from lucid.services.web.problems import Problem

MAX_WAITING = 4
"""Beyond it a caller is told to come again: it would wait for longer than a client does."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Costly:
    """A queue for one kind of such work."""

    def __init__(self) -> None:
        self._limiter = trio.CapacityLimiter(1)

    async def run(self, work: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """What `work` returns. Raises `Problem` (503) when too many wait already."""
        if self._limiter.statistics().tasks_waiting >= MAX_WAITING:
            raise Problem(Code.TOO_MANY, "too much of this is under way", status=BUSY)
        return await trio.to_thread.run_sync(work, *arguments, limiter=self._limiter)
