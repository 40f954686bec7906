"""An uplink that carries far less than usual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from sim.faulthooks import Hooks
from sim.faults.fault import NodeFault, name
from sim.faultspace import FaultSpace

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


class Cap(NodeFault, tag="cap"):
    """`node`'s uplink carries `kbps` thousand bits a second at most."""

    kbps: Annotated[int, Meta(ge=1, le=100_000_000)]

    def text(self) -> str:
        """See `Fault`."""
        return f"{name(self.node)} at {self.kbps} kbit/s"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        return Hooks(end=world.network.cap(self.node, self.kbps * 1_000))

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Cap:
        """See `Fault`."""
        return cls(node=space.node(random), kbps=random.choice((256, 1_000, 10_000)), **space.span(random))
