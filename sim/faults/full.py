"""A disk that takes no writes: full, or remounted read-only."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, ClassVar

from sim.allowance import Allowance
from sim.faulthooks import Hooks
from sim.faults.fault import Lane, NodeFault
from sim.faultspace import FaultSpace

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


class Full(NodeFault, tag="full"):
    """`node`'s disk takes no writes; they wait, as the services have it, and what a write is followed by waits too."""

    lane: ClassVar[Lane] = "disk"

    def allowance(self) -> Allowance:
        """See `Fault`: a vote is stored before it is sent, so none comes."""
        return super().allowance()._replace(late_ms=inf)

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        node = world.nodes[self.node]
        node.full += 1
        return Hooks(end=node.room_again)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Full:
        """See `Fault`."""
        return cls(node=space.node(random), **space.span(random))
