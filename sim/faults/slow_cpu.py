"""A core that is slow: hot, throttled, or shared with something else."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from sim.faulthooks import Hooks
from sim.faults.fault import Lane, NodeFault, name
from sim.faultspace import FaultSpace

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


MOST = 100_000
"""More than this leaves a core with hours of work after a few signatures."""


class SlowCpu(NodeFault, tag="slow_cpu"):
    """Each signature takes `node`'s core `times` as long; several at once multiply, up to 100,000."""

    lane: ClassVar[Lane] = "process"
    times: Annotated[int, Meta(ge=2, le=MOST)]

    def text(self) -> str:
        """See `Fault`."""
        return f"{name(self.node)}, {self.times} times slower"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        node = world.nodes[self.node]
        node.slowed.append(self.times)
        node.slowness = min(prod(node.slowed), MOST)

        def end() -> None:
            node.slowed.remove(self.times)
            node.slowness = min(prod(node.slowed), MOST)

        return Hooks(end=end)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> SlowCpu:
        """See `Fault`."""
        return cls(node=space.node(random), times=random.choice((3, 20, 200)), **space.span(random))
