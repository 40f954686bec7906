"""One of a node's two processes ends, the other does not."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta

from sim.clock import Moment
from sim.faulthooks import Hooks
from sim.faults.fault import Color, Lane, NodeFault, name
from sim.faultspace import FaultSpace

if TYPE_CHECKING:
    from random import Random

    from lucid.machines.effects import Effect
    from sim.runner import Runner
    from sim.world import World


class CrashMachine(NodeFault, tag="crash_machine"):
    """From `at` on, one machine of `node` performs `effects` more effects and stops; it comes back `down_ms` later.

    When the `manager` ends, the engine's writes are drained and it starts anew with it, as the services do; the
    `engine` ends alone, and its manager goes on without it.
    """

    lane: ClassVar[Lane] = "process"
    color: ClassVar[Color] = "crash"
    machine: Literal["engine", "manager"] = "engine"
    effects: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    down_ms: Annotated[int, Meta(ge=1, le=86_400_000)] = 1_000
    times: Annotated[int, Meta(ge=1, le=1_000)] = 1

    def text(self) -> str:
        """See `Fault`."""
        again = f", {self.times} times" if self.times > 1 else ""
        return f"{self.machine} of {name(self.node)} after {self.effects} effects for {self.down_ms} ms{again}"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        node = world.nodes[self.node]
        left, times = self.effects, self.times

        def count(runner: Runner, effect: Effect) -> Effect | None:
            nonlocal left, times
            if not times or runner is not getattr(node, self.machine):
                return effect
            if left:
                left -= 1
                return effect
            left, times = self.effects, times - 1
            if self.machine == "engine":
                node.stop_engine()
            else:
                node.engine_disk.sync_all()
                node.hold(self)
            world.clock.after(self.down_ms * 1000, back)
            return None

        def back(_: Moment | None = None) -> None:
            if self.machine == "engine":
                node.start_engine()
            else:
                node.release(self)

        return Hooks(effect=count, nodes=frozenset((self.node,)), end=partial(back, None))

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> CrashMachine:
        """See `Fault`."""
        return cls(
            node=space.node(random),
            machine=random.choice(("engine", "engine", "manager")),
            effects=random.randrange(random.choice((10, 60, 400))),
            down_ms=random.choice((1, 300, 2_000, 10_000)),
            times=random.choice((1, 2, 5)),
            at=random.randrange(space.calm_ms),
        )
