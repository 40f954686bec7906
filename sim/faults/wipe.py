"""A node that comes back with an empty disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sim.faulthooks import Hooks
from sim.faults.fault import Color, Lane, NodeFault, name
from sim.faults.newcard import Votes, new_card
from sim.faultspace import FaultSpace

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


class Wipe(NodeFault, tag="wipe"):
    """`node` is down, and comes back at `until` with an empty store.

    votes: its vote log is `kept`, or `lost` too: what a new card or a restored image leaves.
    """

    lane: ClassVar[Lane] = "disk"
    color: ClassVar[Color] = "crash"
    votes: Votes = "kept"

    @property
    def forgets(self) -> frozenset[int]:
        """See `Fault`."""
        return frozenset((self.node,))

    def text(self) -> str:
        """See `Fault`."""
        return f"{name(self.node)}, vote log {self.votes}"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        node = world.nodes[self.node]
        node.hold(self)
        new_card(node, self.votes)

        def back() -> None:
            node.release(self)

        return Hooks(end=back)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Wipe | None:
        """See `Fault`: no more than f nodes may forget what they signed, and none what they accepted unnoticed."""
        if space.nodes < 4:
            return None
        # One node of each network, so that a swarm never wipes more than f.
        node = (space.calm_ms + 1) % space.nodes
        spare = len(set(space.traitors) | {node}) <= (space.nodes - 1) // 3
        return cls(node=node, votes="lost" if spare and random.random() < 0.3 else "kept", **space.span(random))
