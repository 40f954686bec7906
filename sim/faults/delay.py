"""Messages that take longer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, field

from sim.allowance import Allowance
from sim.faulthooks import Hooks
from sim.faults.fault import Fault, name, views_lost
from sim.faultspace import FaultSpace
from sim.nodeindexes import check_nodes
from sim.sending import Sending

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


class Delay(Fault, tag="delay"):
    """Each message takes up to `most_ms` longer, and at least `least_ms`, drawn evenly.

    Only what `nodes` send, unless they are left out. Messages overtake each other.
    """

    most_ms: Annotated[int, Meta(ge=1, le=3_600_000)]
    least_ms: Annotated[int, Meta(ge=0, le=3_600_000)] = 0
    nodes: list[int] = field(default_factory=list)

    def check(self, nodes: int) -> None:
        """See `Fault`."""
        check_nodes("nodes", self.nodes, nodes)

    def text(self) -> str:
        """See `Fault`."""
        whose = " ".join(map(name, self.nodes)) or "all messages"
        return f"{whose} {self.least_ms} to {self.most_ms} ms later"

    def allowance(self) -> Allowance:
        """See `Fault`: views fail until timeouts outlast three such delays."""
        late_ms = 3 * self.most_ms
        return Allowance(leaders=frozenset(self.nodes), views=views_lost(late_ms), lag_ms=late_ms)

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        draw = world.stream(f"delay/{self.most_ms}/{self.at}").randrange
        whose = frozenset(self.nodes)
        least_us, span_us = self.least_ms * 1000, max(1, (self.most_ms - self.least_ms) * 1000)

        def late(sender: int, sending: Sending) -> list[Sending]:
            if whose and sender not in whose:
                return [sending]
            return [
                Sending((each,), sending.data, sending.delay_us + least_us + draw(span_us))
                for each in sending.receivers
            ]

        return Hooks(send=late)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Delay:
        """See `Fault`."""
        nodes = sorted(random.sample(range(space.nodes), random.randint(1, space.nodes)))
        most_ms = random.choice((50, 400, 1_500, 6_000))
        return cls(most_ms=most_ms, nodes=random.choice(([], nodes)), **space.span(random))
