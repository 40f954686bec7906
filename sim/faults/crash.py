"""A node that is down."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from sim.faulthooks import Hooks
from sim.faults.fault import Color, Lane, NodeFault
from sim.faultspace import FaultSpace

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


class Crash(NodeFault, tag="crash"):
    """`node` is down: it stops at once and loses what was not synced."""

    lane: ClassVar[Lane] = "process"
    color: ClassVar[Color] = "crash"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        node = world.nodes[self.node]
        node.hold(self)
        return Hooks(end=partial(node.release, self))

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Crash:
        """See `Fault`."""
        return cls(node=space.node(random), **space.span(random))
