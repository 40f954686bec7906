"""A node that stops between two of its effects, and comes back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from sim.faulthooks import Hooks
from sim.faults.fault import Color, Lane, NodeFault, name
from sim.faultspace import FaultSpace

if TYPE_CHECKING:
    from random import Random

    from lucid.machines.effects import Effect
    from sim.runner import Runner
    from sim.world import World


class CrashAt(NodeFault, tag="crash_at"):
    """From `at` on, `node` performs `effects` more of its machines' effects and stops before the next one.

    It is down for `down_ms`, then starts; `times` says how often this happens in all. A store counts as performed once
    it is synced, so this reaches every point between two of them.
    """

    lane: ClassVar[Lane] = "process"
    color: ClassVar[Color] = "crash"
    effects: Annotated[int, Meta(ge=0, le=1_000_000)]
    down_ms: Annotated[int, Meta(ge=1, le=86_400_000)] = 1_000
    times: Annotated[int, Meta(ge=1, le=1_000)] = 1

    def text(self) -> str:
        """See `Fault`."""
        again = f", {self.times} times" if self.times > 1 else ""
        return f"{name(self.node)} after {self.effects} effects for {self.down_ms} ms{again}"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        node = world.nodes[self.node]
        left, times = self.effects, self.times

        def count(runner: Runner, effect: Effect) -> Effect | None:
            nonlocal left, times
            if not times:
                return effect
            if left:
                left -= 1
                return effect
            left, times = self.effects, times - 1
            node.hold_for(self, self.down_ms)
            return None

        return Hooks(effect=count, nodes=frozenset((self.node,)), end=partial(node.release, self))

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> CrashAt:
        """See `Fault`."""
        return cls(
            node=space.node(random),
            effects=random.randrange(random.choice((10, 60, 400))),
            down_ms=random.choice((1, 300, 2_000, 10_000)),
            times=random.choice((1, 1, 2, 5)),
            at=random.randrange(space.calm_ms),
        )
