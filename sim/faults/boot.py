"""A machine without a battery-backed clock that starts in the past, and is set right by NTP a while later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from sim.allowance import Allowance
from sim.clock import Moment
from sim.faulthooks import Hooks
from sim.faults.fault import Lane, NodeFault, name
from sim.faultspace import FaultSpace

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


class Boot(NodeFault, tag="boot"):
    """`node` is down from `at` on for `down_ms` and starts with a clock that is `behind_ms` back, until the end.

    Zero stands for a clock that starts at the Unix epoch, in 1970.
    """

    lane: ClassVar[Lane] = "clock"
    down_ms: Annotated[int, Meta(ge=1, le=86_400_000)] = 500
    behind_ms: Annotated[int, Meta(ge=0, le=2_000_000_000_000)] = 0

    def text(self) -> str:
        """See `Fault`."""
        return f"{name(self.node)} starts {f'{self.behind_ms / 1000:g} s back' if self.behind_ms else 'in 1970'}"

    def allowance(self) -> Allowance:
        """See `Fault`."""
        return super().allowance()._replace(wait_ms=self.down_ms)

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        node = world.nodes[self.node]
        node.hold(self)
        back_us, ended = 0, False

        def start(_: Moment) -> None:
            nonlocal back_us
            if not ended:
                back_us = self.behind_ms * 1000 or node.clock_us + world.clock.now_us
                node.shift_clock(-back_us)
                node.release(self)

        def end() -> None:
            nonlocal ended
            ended = True
            node.shift_clock(back_us)
            node.release(self)

        world.clock.after(self.down_ms * 1000, start)
        return Hooks(end=end)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Boot:
        """See `Fault`."""
        behind_ms = random.choice((0, 0, 2_000, 2_400_000))
        return cls(node=space.node(random), down_ms=random.choice((1, 500)), behind_ms=behind_ms, **space.span(random))
