"""The one budget of memory that what comes in and what goes out over HTTP has to share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lucid.chain.errors import Code
from lucid.services.problems import Problem

BUDGET_BYTES = 64 << 20
"""Bodies and answers in memory at once: with it a service stays below 192 MiB, of the 256 that its container has."""
SHARE = 2
"""One caller may hold a half of the budget, so that another can always be served."""


class Budget:
    """Bytes that are held for callers. What finds no room is refused at once: to wait would take memory too."""

    def __init__(self, size: int = BUDGET_BYTES) -> None:
        self.size = size
        self.held = 0
        self._by_caller: dict[str, int] = {}

    @contextmanager
    def charge(self, caller: str) -> Iterator[Charge]:
        """A charge on a caller's account that is given back at the end."""
        charge = Charge(self, caller)
        try:
            yield charge
        finally:
            charge.settle()

    def take(self, caller: str, size: int) -> None:
        """Count `size` more bytes of a caller. Raises `Problem` (503) when they don't fit."""
        own = self._by_caller.get(caller, 0) + size
        if self.held + size > self.size or own > self.size // SHARE:
            raise Problem(503, Code.TOO_MANY, "no memory is left for this now")
        self.held += size
        self._by_caller[caller] = own

    def give(self, caller: str, size: int) -> None:
        """Count `size` bytes of a caller less."""
        self.held -= size
        left = self._by_caller.pop(caller, 0) - size
        if left:
            self._by_caller[caller] = left
        assert self.held >= 0 and left >= 0, "more is given back than was taken"


class Charge:
    """What is held for one request so far."""

    def __init__(self, budget: Budget, caller: str) -> None:
        self._budget = budget
        self._caller = caller
        self._size = 0

    def add(self, size: int) -> None:
        """Hold `size` more bytes. Raises `Problem` (503) when they don't fit."""
        self._budget.take(self._caller, size)
        self._size += size

    def become(self, caller: str) -> None:
        """Count what is held, and what will be, for another caller: it has proven who it is."""
        if caller != self._caller:
            size = self._size
            self.settle()
            self._caller = caller
            self.add(size)

    def settle(self) -> None:
        """Give all of it back."""
        if self._size:
            self._budget.give(self._caller, self._size)
            self._size = 0
