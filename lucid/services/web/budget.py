"""The one budget of memory that what comes in and what goes out over HTTP has to share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import trio

from lucid.api.errors import BUSY
from lucid.chain.errors import Code
from lucid.services.web.problems import Problem

BUDGET_BYTES = 32 << 20
"""Bodies and answers in memory at once: with it a service stays below 192 MiB, of the 256 that its container has. One
caller's share, a half, holds the largest manifest."""
SHARE = 2
"""One caller may hold a half of the budget, so that another can always be served."""
LARGE_BYTES = 256 << 10
"""A body beyond this has to wait until its caller has fewer than `LARGE_AT_ONCE` others of the kind: were all of them
read side by side, none would find room for its end."""
LARGE_AT_ONCE = 2
LARGE_WAIT_S = 10.0


class Budget:
    """Bytes that are held for callers. What finds no room is refused at once: to wait would take memory too."""

    def __init__(self, size: int = BUDGET_BYTES) -> None:
        self.size = size
        self.held = 0
        self._by_caller: dict[str, int] = {}
        self._large: dict[str, trio.CapacityLimiter] = {}

    @contextmanager
    def charge(self, caller: str) -> Iterator[Charge]:
        """A charge on a caller's account that is given back at the end."""
        charge = Charge(self, caller)
        try:
            yield charge
        finally:
            charge.settle()

    def take(self, caller: str, size: int) -> None:
        """Count `size` more bytes of a caller. Raises `Problem` (503) when they do not fit."""
        own = self._by_caller.get(caller, 0) + size
        # A single answer may be larger than the share, such as a long session's receipt: when there is nothing else.
        if self.held and (self.held + size > self.size or own > self.size // SHARE):
            raise Problem(Code.TOO_MANY, "no memory is left for this now", status=BUSY)
        self.held += size
        self._by_caller[caller] = own

    def plenty(self, caller: str, size: int) -> bool:
        """Whether a half of the budget, and of the caller's share, is free once they hold `size` more bytes: then they
        may go to what only saves time."""
        own = self._by_caller.get(caller, 0) + size
        return self.held + size <= self.size // 2 and own <= self.size // SHARE // 2

    def give(self, caller: str, size: int) -> None:
        """Count `size` bytes of a caller less."""
        self.held -= size
        left = self._by_caller.pop(caller, 0) - size
        if left:
            self._by_caller[caller] = left
        assert self.held >= 0 and left >= 0, "more is given back than was taken"

    async def begin_large(self, caller: str, charge: Charge) -> None:
        """Wait for the turn of a caller's large body. Raises `Problem` (503) when it does not come."""
        limiter = self._large.setdefault(caller, trio.CapacityLimiter(LARGE_AT_ONCE))
        with trio.move_on_after(LARGE_WAIT_S) as patience:
            await limiter.acquire_on_behalf_of(charge)
        if patience.cancelled_caught:
            raise Problem(Code.TOO_MANY, "too many large bodies at once", status=BUSY)

    def end_large(self, caller: str, charge: Charge) -> None:
        """A large body is done with."""
        limiter = self._large[caller]
        limiter.release_on_behalf_of(charge)
        if not limiter.borrowed_tokens and not limiter.statistics().tasks_waiting:
            del self._large[caller]


class Charge:
    """What is held for one request so far."""

    def __init__(self, budget: Budget, caller: str) -> None:
        self._budget = budget
        self._caller = caller
        self._size = 0
        self._large = False

    async def receive(self, size: int) -> None:
        """Hold `size` more bytes of a body; a large one waits for its turn. Raises `Problem` (503)."""
        if not self._large and self._size + size > LARGE_BYTES:
            await self._budget.begin_large(self._caller, self)
            self._large = True
        self.add(size)

    def add(self, size: int) -> None:
        """Hold `size` more bytes. Raises `Problem` (503) when they do not fit."""
        self._budget.take(self._caller, size)
        self._size += size

    def spare(self, size: int) -> bool:
        """Hold `size` more bytes where there is plenty; returns whether they are held."""
        plenty = self._budget.plenty(self._caller, size)
        if plenty:
            self.add(size)
        return plenty

    def become(self, caller: str) -> None:
        """Count for another caller, before anything is held: it has proven who it is."""
        assert not self._size, "something is held for the one before"
        self._caller = caller

    def settle(self) -> None:
        """Give all of it back."""
        if self._size:
            self._budget.give(self._caller, self._size)
            self._size = 0
        if self._large:
            self._budget.end_large(self._caller, self)
            self._large = False
