"""Virtual time: SimPy's environment in whole microseconds, with a lean loop for events that are only callbacks."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

import simpy
from simpy.events import NORMAL


class Moment(simpy.Event):
    """Something that happens at a moment: `happen` is called with it, and nothing waits for it."""

    def __init__(self, happen: Callable[[Any], None]) -> None:
        self.callbacks = [happen]
        self.happen = happen
        self._ok = True


class VirtualClock(simpy.Environment):
    """Microseconds since genesis; every event is a `Moment`."""

    _now: int

    @property
    def now_us(self) -> int:
        """The current moment."""
        return self._now

    def put(self, moment: Moment, at_us: int) -> None:
        """Let a moment happen at `at_us`, after those that were put at the same time before it."""
        heappush(self._queue, (at_us, NORMAL, next(self._eid), moment))

    def after(self, delay_us: int, callback: Callable[[Any], None]) -> None:
        """Call back in `delay_us`."""
        self.put(Moment(callback), self._now + delay_us)

    def run_until(self, until_us: int) -> None:
        """Let everything happen that is due by `until_us`.

        SimPy's own loop looks at each event for failures and waiting processes; moments have neither.
        """
        queue, pop = self._queue, heappop
        while queue and queue[0][0] <= until_us:
            self._now, _, _, moment = pop(queue)  # type: ignore[assignment]
            moment.happen(moment)  # type: ignore[attr-defined]
        self._now = max(self._now, until_us)
