"""The writes of one machine on their way to its device: what comes while a commit is on its way goes into the next."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sim.clock import Moment, VirtualClock


class Commit:
    """A group of writes that are durable together; `then` is called once they are."""

    __slots__ = ("done", "then")

    def __init__(self) -> None:
        self.done = False
        self.then: list[Callable[[], None]] = []


class Commits:
    """Commits of one machine, the one after the other, as `lucid/storage/durable.py` makes them.

    `takes_us` tells what a commit takes that begins now: the device may be busy with those of others.
    """

    def __init__(self, clock: VirtualClock, takes_us: Callable[[], int]) -> None:
        self._clock = clock
        self._takes_us = takes_us
        self._under_way = False
        self._next: Commit | None = None

    def put(self) -> Commit:
        """A write is handed over now; returns the commit that it belongs to."""
        if not self._under_way:
            return self._begin(Commit())
        if self._next is None:
            self._next = Commit()
        return self._next

    def _begin(self, commit: Commit) -> Commit:
        self._under_way = True
        self._clock.after(self._takes_us(), partial(self._done, commit))
        return commit

    def _done(self, commit: Commit, _: Moment) -> None:
        self._under_way, commit.done = False, True
        following, self._next = self._next, None
        if following is not None:
            self._begin(following)
        for each in commit.then:
            each()
