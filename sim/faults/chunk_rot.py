"""A card that loses chunks, or whose chunks rot, without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from sim.faulthooks import Hooks
from sim.faults.fault import Lane, NodeFault, name
from sim.faultspace import FaultSpace

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


class ChunkRot(NodeFault, tag="chunk_rot"):
    """`percent` of the chunks that `node` holds when it begins are not their bytes any more, or not there.

    The node learns of each when it looks: when somebody asks for it, or by its scrubber.
    """

    lane: ClassVar[Lane] = "chunks"
    percent: Annotated[float, Meta(gt=0, le=100)]

    def text(self) -> str:
        """See `Fault`."""
        return f"{self.percent:g} % of the chunks of {name(self.node)}"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        node, chance = world.nodes[self.node], world.stream(f"chunk_rot/{self.node}/{self.at_ms}").random
        if node.data is not None and world.chunks is not None:
            for chunk in node.data.card.chunks():
                if chance() * 100 < self.percent:
                    node.data.card.damage(chunk)
                    world.chunks.lost.setdefault(chunk, set()).add(self.node)
        return Hooks()

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> ChunkRot | None:
        """See `Fault`."""
        return cls(node=space.node(random), percent=random.choice((5, 30, 100)), at=random.randrange(space.calm_ms))
