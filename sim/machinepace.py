"""A machine at the pace of a real one: what it takes for what a node does, drawn from samples."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from sim.costs import Costs

if TYPE_CHECKING:
    from sim.clock import Moment, VirtualClock


class Draws:
    """Draws from the samples of each kind."""

    def __init__(self, of: Callable[[Any], Sequence[int]], random: Random) -> None:
        self._of = of
        self._random = random
        self._samples: dict[Any, Sequence[int]] = {}

    def __call__(self, kind: Any) -> int:
        """Microseconds that something of this kind takes."""
        samples = self._samples.get(kind)
        if samples is None:
            samples = self._samples[kind] = self._of(kind)
        return samples[self._random.randrange(len(samples))]


class MachinePace:
    """What the costs make of one machine of a node: when what it tells the other is heard, and when writes are safe.

    Writes are committed in groups, as by `lucid/storage/durable.py`: what comes while a commit is on its way goes into
    the next one. What is told is heard in order.
    """

    def __init__(self, costs: Costs, random: Random, clock: VirtualClock) -> None:
        self._clock = clock
        self._write = costs.write
        self._tells = Draws(costs.of_tell, random)
        self._random = random
        self._heard_us = 0
        self._commit_ends_us = self._next_ends_us = 0
        self._durable_us: deque[int] = deque()

    def put(self) -> None:
        """A write is handed over now."""
        now = self._clock.now_us
        if self._commit_ends_us <= now:
            self._commit_ends_us = self._next_ends_us
        if self._commit_ends_us <= now:
            self._commit_ends_us = self._next_ends_us = now + self._draw()
        elif self._next_ends_us == self._commit_ends_us:
            self._next_ends_us = self._commit_ends_us + self._draw()
        self._durable_us.append(self._next_ends_us)

    def wait_us(self) -> int:
        """How long the oldest write that was not asked for yet still takes."""
        return max(0, self._durable_us.popleft() - self._clock.now_us)

    def tell(self, hear: Callable[[Any], None], event: Any) -> None:
        """Let the other machine hear of an event after its time, and after what it was told before."""
        now = self._clock.now_us
        self._heard_us = max(self._heard_us + 1, now + max(0, self._tells(type(event).__name__)))
        self._clock.after(self._heard_us - now, partial(_heard, hear, event))

    def _draw(self) -> int:
        return max(1, self._write[self._random.randrange(len(self._write))])


def _heard(hear: Callable[[Any], None], event: Any, _: Moment) -> None:
    hear(event)
