"""Virtual time: SimPy's environment in whole microseconds, with a lean loop for events that are only callbacks."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush, heapreplace
from typing import Any

import simpy
from simpy.events import NORMAL

STRETCH = 1_024
"""Moments that happen between two looks at whether to stop."""

TAG_BITS = 10
"""Low bits of a recurring moment's times: room for what distinguishes them."""


class Moment:
    """Something that happens at a moment: `happen` is called with it, and nothing waits for it.

    It stands in the queue as SimPy's events do, and is none: those keep room for who waits for them.
    """

    __slots__ = ("code", "happen", "ids", "times")

    def __init__(self, happen: Callable[[Any], None]) -> None:
        self.happen = happen
        self.times: list[int] | None = None
        self.ids: list[int] | None = None
        self.code = 0


class Recurring(Moment):
    """A moment that happens at each of `times`: descending, each shifted left by `TAG_BITS` over a tag.

    It stands in the queue once, however often it happens; `code` is the time that it happens at, with its tag. With
    `ids`, drawn by the clock and in the order of `times`, it happens among others of the same moment as if each of its
    times had been put by itself.
    """

    __slots__ = ()

    def __init__(self, happen: Callable[[Any], None], times: list[int], ids: list[int] | None = None) -> None:
        super().__init__(happen)
        self.times = times
        self.ids = ids
        self.code = times[-1]


class VirtualClock(simpy.Environment):
    """Microseconds since genesis; what stands in its queue are `Moment`s."""

    _now: int
    _queue: list[Any]
    events = 0
    """Moments that have happened so far."""
    stop: Callable[[], bool] = staticmethod(lambda: False)
    """Asked now and then whether to stop where it is; once it was told to, `stopped` is set and nothing happens."""
    stopped = False

    @property
    def now_us(self) -> int:
        """The current moment."""
        return self._now

    def put(self, moment: Moment, at_us: int) -> None:
        """Let a moment happen at `at_us`, after those that were put at the same time before it."""
        heappush(self._queue, (at_us, NORMAL, next(self._eid), moment))

    def put_each(self, moment: Recurring) -> None:
        """Let a recurring moment with ids happen at each of its times."""
        assert moment.times is not None and moment.ids is not None
        heappush(self._queue, (moment.times[-1] >> TAG_BITS, NORMAL, moment.ids.pop(), moment))

    def draw_ids(self, count: int) -> list[int]:
        """As many places in the order of what happens at one moment, those that `put` would give next."""
        draw = self._eid.__next__
        return [draw() for _ in range(count)]

    def after(self, delay_us: int, callback: Callable[[Any], None]) -> None:
        """Call back in `delay_us`."""
        self.put(Moment(callback), self._now + delay_us)

    def run_until(self, until_us: int) -> None:
        """Let everything happen that is due by `until_us`, unless told to stop.

        SimPy's own loop looks at each event for failures and waiting processes; moments have neither.
        """
        queue, pop, replace, number = self._queue, heappop, heapreplace, self._eid.__next__
        events = 0
        try:
            while queue and queue[0][0] <= until_us:
                if self.stopped or self.stop():
                    self.stopped = True
                    return
                for _ in range(STRETCH):
                    if not queue:
                        break
                    at_us, _, _, moment = queue[0]
                    if at_us > until_us:
                        break
                    self._now = at_us
                    times = moment.times
                    if times is None:
                        pop(queue)
                    else:
                        moment.code = times.pop()
                        if times:
                            ids = moment.ids
                            place = number() if ids is None else ids.pop()
                            replace(queue, (times[-1] >> TAG_BITS, NORMAL, place, moment))
                        else:
                            pop(queue)
                    events += 1
                    moment.happen(moment)
        finally:
            self.events += events
        self._now = max(self._now, until_us)
