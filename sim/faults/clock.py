"""A node whose clock is wrong."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from lucid.chain.parameters import DAY_MS
from sim.allowance import Allowance
from sim.faulthooks import Hooks
from sim.faults.fault import Lane, NodeFault, name
from sim.faultspace import FaultSpace
from sim.scenarioerror import ScenarioError

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


class Clock(NodeFault, tag="clock"):
    """`node`'s clock is `offset_ms` off: it is set forward, or back."""

    lane: ClassVar[Lane] = "clock"
    offset_ms: Annotated[int, Meta(ge=-DAY_MS, le=DAY_MS)]

    def check(self, nodes: int) -> None:
        """See `Fault`."""
        super().check(nodes)
        if not self.offset_ms:
            raise ScenarioError("is not an offset at all", "offset_ms")

    def text(self) -> str:
        """See `Fault`."""
        return f"{name(self.node)} {self.offset_ms:+} ms"

    def allowance(self) -> Allowance:
        """See `Fault`: a clock that goes back sees blocks of its own past in the future, and waits for them."""
        return super().allowance()._replace(wait_ms=abs(self.offset_ms))

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        node = world.nodes[self.node]
        node.shift_clock(self.offset_ms * 1000)
        return Hooks(end=partial(node.shift_clock, -self.offset_ms * 1000))

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Clock:
        """See `Fault`."""
        offset_ms = random.choice((150, 390, 1_500, 30_000)) * random.choice((-1, 1))
        return cls(node=space.node(random), offset_ms=offset_ms, **space.span(random))
