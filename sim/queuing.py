"""What the traffic of others adds to a link's delay: it stays for a while, so messages of one moment wait alike."""

from __future__ import annotations

from random import Random

from sim.clock import VirtualClock
from sim.exponential import exponential_us

EPISODE_US = 1_000_000
"""How long the queues of a link stay as they are, in the mean; assumed."""
MOST = 10
"""Times the mean that a message waits at most."""


class Queuing:
    """Queues at every link, in each direction by itself, that change now and then: exponentially distributed waits.

    Jitter is each message's own; this is what it has in common with those that are sent shortly before and after it.
    """

    def __init__(self, clock: VirtualClock, mean_us: int, random: Random) -> None:
        self._clock = clock
        self._mean_us = mean_us
        self._random = random
        self._queues: dict[tuple[int, int], tuple[int, int]] = {}
        """By link, how long a message waits, and until when it is so."""

    def wait_us(self, sender: int, receiver: int) -> int:
        """How much longer a message takes that is sent now."""
        now = self._clock.now_us
        wait_us, until_us = self._queues.get((sender, receiver), (0, 0))
        if now >= until_us:
            wait_us = min(exponential_us(self._random, self._mean_us), MOST * self._mean_us)
            self._queues[sender, receiver] = wait_us, now + exponential_us(self._random, EPISODE_US)
        return wait_us
