"""Segments that are lost on a connection: they come later, and what follows them waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sim.connections import STALLED_US
from sim.segments import segments
from sim.sending import Scattering

if TYPE_CHECKING:
    from sim.connections import Connections


MOST_LOSSES = 15
"""Times that a segment is retransmitted before a connection gives up (Linux: `tcp_retries2`)."""


class Retransmission(Scattering):
    """On a connection a segment that is lost comes later, and what follows it waits."""

    def __init__(self, connections: Connections, draw: Callable[[], float], lost: float) -> None:
        self._connections = connections
        self._draw = draw
        self._lost = lost

    def delays_us(self, sender: int, receivers: Sequence[int], data: bytes) -> dict[int, int]:
        """See `Scattering`."""
        draw, lost = self._draw, self._lost
        count = range(segments(len(data)))
        found = {}
        for receiver in receivers:
            delay_us = 0
            for _ in count:
                if draw() < lost:
                    delay_us = max(delay_us, self._retransmission_us(sender, receiver))
            if delay_us > STALLED_US:
                self._connections.give_up(sender, receiver)
            else:
                found[receiver] = delay_us
        return found

    def _retransmission_us(self, sender: int, receiver: int) -> int:
        """How much later a segment comes that was lost once, and perhaps again."""
        losses = 1
        while self._draw() < self._lost and losses < MOST_LOSSES:
            losses += 1
        return self._connections.retransmission_us(sender, receiver, losses)
