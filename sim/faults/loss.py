"""Messages that vanish on their way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from lucid.machines.limits import Limits
from sim.allowance import Allowance
from sim.connections import STALLED_US
from sim.faulthooks import Hooks
from sim.faults.fault import Fault, tries
from sim.faultspace import FaultSpace
from sim.scenarioerror import ScenarioError
from sim.segments import segments
from sim.sending import Scattering, Sending

if TYPE_CHECKING:
    from random import Random

    from sim.connections import Connections
    from sim.world import World

MOST_LOSSES = 15
"""Times that a segment is retransmitted before a connection gives up (Linux: `tcp_retries2`)."""

HOPS = 4
"""Messages that must arrive one after the other for a view to end well: proposal, two votes, certificate."""


class Loss(Fault, tag="loss"):
    """`percent` of messages vanish, each by itself; on connections, of segments, which are retransmitted."""

    percent: float

    def check(self, nodes: int) -> None:
        """See `Fault`."""
        if not 0 < self.percent <= 100:
            raise ScenarioError("must be above 0 and at most 100", "percent")

    def text(self) -> str:
        """See `Fault`."""
        return f"{self.percent:g} % of messages"

    def allowance(self) -> Allowance:
        """See `Fault`: what is lost is retransmitted, which costs views and offers, more of them the more is lost."""
        lost = self.percent / 100
        return Allowance(views=tries(1 - (1 - lost) ** HOPS), blocks=Limits().reoffer_blocks * tries(lost))

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        draw, lost = world.stream(f"loss/{self.percent}/{self.at}").random, self.percent / 100

        connections = world.network.connections
        if connections is not None:
            connections.loss.append(lost)
            return Hooks(send=Retransmission(connections, draw, lost), end=partial(connections.loss.remove, lost))

        def lose(sender: int, sending: Sending) -> tuple[Sending, ...]:
            return (sending._replace(receivers=[each for each in sending.receivers if draw() >= lost]),)

        return Hooks(send=lose)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Loss:
        """See `Fault`."""
        return cls(percent=random.choice((0.5, 5.0, 20.0, 60.0)), **space.span(random))


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
