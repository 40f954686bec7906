"""What a machine takes for what a node does around its protocol, as measured on that machine: samples to draw from.

A node's services take time that no signature or rule accounts for: an event goes from one process to the other over a
WebSocket, a message is sealed, sent, opened and waits for its turn, a write goes to a thread and to the disk. With
`Costs` the simulator draws each of these from what a machine was seen to take; they stand in place of the modeled core
and disk. Without, as always but in a calibration, events go between the machines of a node at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from sim.clock import Moment, VirtualClock

LEAST = 10
"""A kind with fewer samples is drawn from those of all kinds."""


class Costs(Struct, frozen=True, kw_only=True):
    """Samples, in microseconds.

    write: from handing a write to a store until it is durable, with no other write on its way. tells, by the name of
    the event: from when a machine of a node took in hand what it tells the other of, until that takes it in hand, the
    write before it aside. messages, by the message's tag: the same from one node's manager to another's, the delay of
    the link aside.
    """

    write: tuple[int, ...]
    tells: dict[str, tuple[int, ...]]
    messages: dict[int, tuple[int, ...]]

    def of_tell(self, event: str) -> Sequence[int]:
        """The samples of an event; of all events, if it has few."""
        return _enough(self.tells, event)

    def of_message(self, tag: int) -> Sequence[int]:
        """The samples of a message; of all messages, if it has few."""
        return _enough(self.messages, tag)


def _enough(by_kind: dict[Any, tuple[int, ...]], kind: Any) -> Sequence[int]:
    samples = by_kind.get(kind, ())
    if len(samples) >= LEAST:
        return samples
    return [each for name in sorted(by_kind) for each in by_kind[name]] or [0]


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
