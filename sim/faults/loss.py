"""Messages that vanish on their way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lucid.machines.limits import Limits
from sim.faults.fault import Allowance, Fault, Hooks, Sending, tries
from sim.wrong import ScenarioError

if TYPE_CHECKING:
    from sim.world import World

HOPS = 4
"""Messages that must arrive one after the other for a view to end well: proposal, two votes, certificate."""


class Loss(Fault, tag="loss"):
    """`percent` of messages vanish, each by itself."""

    percent: float

    def check(self, nodes: int) -> None:
        """See `Fault`."""
        if not 0 < self.percent <= 100:
            raise ScenarioError("must be above 0 and at most 100", "percent")

    def text(self) -> str:
        """See `Fault`."""
        return f"{self.percent:g} % of messages"

    def allowance(self) -> Allowance:
        """See `Fault`: what is lost is said again, so it costs views and offers, and more of them the more is lost."""
        lost = self.percent / 100
        return Allowance(views=tries(1 - (1 - lost) ** HOPS), blocks=Limits().reoffer_blocks * tries(lost))

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        draw, lost = world.stream(f"loss/{self.percent}/{self.at}").random, self.percent / 100

        def lose(sender: int, sending: Sending) -> tuple[Sending, ...]:
            return (sending._replace(receivers=[each for each in sending.receivers if draw() >= lost]),)

        return Hooks(send=lose)
