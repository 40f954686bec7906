"""Messages that vanish on their way."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lucid.machines.limits import Limits
from sim.allowance import Allowance
from sim.faulthooks import Hooks
from sim.faults.fault import Fault, tries
from sim.faultspace import FaultSpace
from sim.retransmission import Retransmission
from sim.scenarioerror import ScenarioError
from sim.sending import Sending

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


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
