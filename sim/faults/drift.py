"""A clock that runs too fast, or too slow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from sim.allowance import Allowance
from sim.clock import Moment
from sim.faulthooks import Hooks
from sim.faults.fault import Lane, NodeFault, name
from sim.faultspace import FaultSpace
from sim.scenarioerror import ScenarioError

if TYPE_CHECKING:
    from random import Random

    from sim.world import World

STEP_US = 500_000
"""How often a drifting clock is moved on."""


class Drift(NodeFault, tag="drift"):
    """`node`'s clock runs `ppm` millionths too fast, or too slow; when the fault ends it is right again."""

    lane: ClassVar[Lane] = "clock"
    ppm: Annotated[int, Meta(ge=-500_000, le=500_000)]

    def check(self, nodes: int) -> None:
        """See `Fault`."""
        super().check(nodes)
        if not self.ppm:
            raise ScenarioError("must not be 0: that is no drift", "ppm")

    def text(self) -> str:
        """See `Fault`."""
        return f"{name(self.node)} {self.ppm:+} ppm"

    def allowance(self) -> Allowance:
        """See `Fault`: a clock that goes back waits for the blocks of its own past."""
        span_ms = (self.until_ms or self.at_ms) - self.at_ms
        return super().allowance()._replace(wait_ms=abs(self.ppm) * span_ms // 1_000_000)

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        node, total_us, on = world.nodes[self.node], 0, True
        step_us = STEP_US * self.ppm // 1_000_000

        def move(_: Moment) -> None:
            nonlocal total_us
            if on:
                total_us += step_us
                node.shift_clock(step_us)
                world.clock.after(STEP_US, move)

        def end() -> None:
            nonlocal on
            on = False
            node.shift_clock(-total_us)

        world.clock.after(STEP_US, move)
        return Hooks(end=end)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Drift:
        """See `Fault`."""
        ppm = random.choice((100, 5_000, 100_000)) * random.choice((-1, 1))
        return cls(node=space.node(random), ppm=ppm, **space.span(random))
