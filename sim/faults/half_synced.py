"""A crash after which part of what was not synced is there all the same."""

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


class HalfSynced(NodeFault, tag="half_synced"):
    """`node` stops after `effects` more effects; the first `manager` and `engine` unsynced writes of its disks survive.

    A store keeps writes in their order and each whole, so what survives is the beginning of what was handed over,
    whether or not anyone was told.
    """

    lane: ClassVar[Lane] = "disk"
    color: ClassVar[Color] = "crash"
    effects: Annotated[int, Meta(ge=0, le=1_000_000)]
    manager: Annotated[int, Meta(ge=0, le=1_000)] = 1
    engine: Annotated[int, Meta(ge=0, le=1_000)] = 1
    down_ms: Annotated[int, Meta(ge=1, le=86_400_000)] = 1_000

    def text(self) -> str:
        """See `Fault`."""
        kept = f"{self.manager} and {self.engine} unsynced writes kept"
        return f"{name(self.node)} after {self.effects} effects for {self.down_ms} ms, {kept}"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        node = world.nodes[self.node]
        left, done = self.effects, False

        def count(runner: Runner, effect: Effect) -> Effect | None:
            nonlocal left, done
            if left or done:
                left -= 1
                return effect
            done = True
            node.manager_disk.sync_all(self.manager)
            node.engine_disk.sync_all(self.engine)
            node.hold_for(self, self.down_ms)
            return None

        return Hooks(effect=count, nodes=frozenset((self.node,)), end=partial(node.release, self))

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> HalfSynced:
        """See `Fault`."""
        return cls(
            node=space.node(random),
            effects=random.randrange(random.choice((10, 60, 400))),
            manager=random.randrange(4),
            engine=random.randrange(3),
            down_ms=random.choice((1, 300, 2_000)),
            at=random.randrange(space.calm_ms),
        )
