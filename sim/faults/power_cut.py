"""All nodes stop at one moment, and come back at different ones."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from sim.allowance import Allowance
from sim.clock import Moment
from sim.faulthooks import Hooks
from sim.faults.fault import Color, Fault, Lane, name
from sim.faultspace import FaultSpace
from sim.nodeindexes import check_nodes

if TYPE_CHECKING:
    from random import Random

    from lucid.machines.effects import Effect
    from sim.node import Node
    from sim.runner import Runner
    from sim.world import World


class PowerCut(Fault, tag="power_cut"):
    """From `at` on, once `node` has performed `effects` more effects, every node stops.

    Node i comes back `back_ms[i % len(back_ms)]` later.
    """

    lane: ClassVar[Lane] = "process"
    color: ClassVar[Color] = "crash"
    node: int
    effects: Annotated[int, Meta(ge=0, le=1_000_000)]
    back_ms: Annotated[list[Annotated[int, Meta(ge=1, le=86_400_000)]], Meta(min_length=1, max_length=1_024)]

    def check(self, nodes: int) -> None:
        """See `Fault`."""
        check_nodes("node", [self.node], nodes)

    def text(self) -> str:
        """See `Fault`."""
        return f"all nodes after {self.effects} effects of {name(self.node)}"

    def allowance(self) -> Allowance:
        """See `Fault`: who is down leads in vain."""
        return Allowance(wait_ms=max(self.back_ms))

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        left, done = self.effects, False

        def count(runner: Runner, effect: Effect) -> Effect | None:
            nonlocal left, done
            if done:
                return effect
            if left:
                left -= 1
                return effect
            done = True
            for node in world.nodes:
                node.hold(self)
                world.clock.after(self.back_ms[node.index % len(self.back_ms)] * 1000, partial(back, node))
            return None

        def back(node: Node, _: Moment) -> None:
            node.release(self)

        def end() -> None:
            for node in world.nodes:
                node.release(self)

        return Hooks(effect=count, nodes=frozenset((self.node,)), end=end)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> PowerCut:
        """See `Fault`."""
        return cls(
            node=space.node(random),
            effects=random.randrange(random.choice((10, 60, 400))),
            back_ms=[random.choice((1, 50, 300, 2_000)) for _ in range(space.nodes)],
            at=random.randrange(space.calm_ms),
        )
