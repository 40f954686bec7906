"""A disk that takes seconds for a write, as SD cards do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from sim.allowance import Allowance
from sim.faulthooks import Hooks
from sim.faults.fault import Lane, NodeFault, name
from sim.faultspace import FaultSpace

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


WRITES = 5
"""Writes of a node one after the other in a view: the proposal, two votes, the certificate, what is final."""


class Stall(NodeFault, tag="stall"):
    """Each write of `node` takes `stall_ms` longer to be safe."""

    lane: ClassVar[Lane] = "disk"
    stall_ms: Annotated[int, Meta(ge=1, le=600_000)]

    def text(self) -> str:
        """See `Fault`."""
        return f"{name(self.node)}, writes {self.stall_ms} ms longer"

    def allowance(self) -> Allowance:
        """See `Fault`: each vote waits for writes."""
        return super().allowance()._replace(late_ms=WRITES * self.stall_ms)

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        node = world.nodes[self.node]
        node.stalled_us += self.stall_ms * 1000

        def end() -> None:
            node.stalled_us -= self.stall_ms * 1000

        return Hooks(end=end)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Stall:
        """See `Fault`."""
        return cls(node=space.node(random), stall_ms=random.choice((100, 700, 3_000)), **space.span(random))
