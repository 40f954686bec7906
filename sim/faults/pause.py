"""A node whose processes are stopped for a while, and go on as if nothing had been."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from sim.faulthooks import Hooks
from sim.faults.fault import Lane, NodeFault
from sim.faultspace import FaultSpace

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


class Pause(NodeFault, tag="pause"):
    """`node`'s processes are stopped, as by a suspended machine; timers and messages that come due wait for the end."""

    lane: ClassVar[Lane] = "process"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        node = world.nodes[self.node]
        node.pause(self)
        return Hooks(end=partial(node.unpause, self))

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Pause:
        """See `Fault`."""
        return cls(node=space.node(random), **space.span(random))
