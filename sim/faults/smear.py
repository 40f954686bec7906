"""A step of a clock that is smeared: the clock runs a little wrong until it has made it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from lucid.chain.parameters import DAY_MS
from sim.allowance import Allowance
from sim.clock import Moment
from sim.faulthooks import Hooks
from sim.faults.fault import Lane, NodeFault, name
from sim.faultspace import FaultSpace
from sim.scenarioerror import ScenarioError

if TYPE_CHECKING:
    from random import Random

    from sim.world import World

STEP_US = 100_000
"""How often a clock that is smeared is moved on."""


class Smear(NodeFault, tag="smear"):
    """`node`'s clock comes to be `offset_ms` off evenly within `over_ms`; from the fault's end on it goes back so.

    Time servers spread a leap second over a day in this way, and daemons a step that is too great to be made at once:
    no reading is wrong by much more than the one before, and clocks are apart for long. In a network that is calm what
    is left goes at once.
    """

    lane: ClassVar[Lane] = "clock"
    drawn_by_name: ClassVar[bool] = True
    offset_ms: Annotated[int, Meta(ge=-DAY_MS, le=DAY_MS)]
    over_ms: Annotated[int, Meta(ge=STEP_US // 1_000, le=DAY_MS)]

    def check(self, nodes: int) -> None:
        """See `Fault`."""
        super().check(nodes)
        if not self.offset_ms:
            raise ScenarioError("is not an offset at all", "offset_ms")

    def text(self) -> str:
        """See `Fault`."""
        return f"{name(self.node)} {self.offset_ms:+} ms within {self.over_ms} ms"

    def allowance(self) -> Allowance:
        """See `Fault`: a clock that goes back waits for the blocks of its own past."""
        return super().allowance()._replace(wait_ms=abs(self.offset_ms))

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        node, steps = world.nodes[self.node], -(-self.over_ms * 1_000 // STEP_US)
        made, ended = 0, False

        def go(to: int) -> None:
            """Come to where so many of the steps are made."""
            nonlocal made
            node.shift_clock(self.offset_ms * 1_000 * to // steps - self.offset_ms * 1_000 * made // steps)
            made = to

        def move(_: Moment) -> None:
            goal = 0 if ended else steps
            go(goal if ended and world.calm else made + (goal > made) - (goal < made))
            if made != goal:
                world.clock.after(STEP_US, move)

        def end() -> None:
            nonlocal ended
            ended = True
            if world.calm:
                go(0)
            elif made == steps:
                world.clock.after(STEP_US, move)

        world.clock.after(STEP_US, move)
        return Hooks(end=end)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Smear:
        """See `Fault`."""
        offset_ms = random.choice((150, 390, 1_000, 30_000)) * random.choice((-1, 1))
        return cls(
            node=space.node(random),
            offset_ms=offset_ms,
            over_ms=random.choice((500, 3_000, 15_000)),
            **space.span(random),
        )
