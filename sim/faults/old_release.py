"""A node that runs an older release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from lucid.chain.versions import FIRST_RULES, RULES_KNOWN
from sim.faulthooks import Hooks
from sim.faults.fault import Lane, NodeFault, name
from sim.faultspace import FaultSpace

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


class OldRelease(NodeFault, tag="old_release"):
    """`node` runs a release that knows rules up to `knows`; at `until` it is upgraded, and starts anew."""

    lane: ClassVar[Lane] = "release"
    knows: Annotated[int, Meta(ge=FIRST_RULES, lt=RULES_KNOWN)] = FIRST_RULES

    def text(self) -> str:
        """See `Fault`."""
        return f"{name(self.node)} knows rules up to {self.knows}"

    def begin(self, world: World) -> Hooks:
        """See `Fault`: one that begins later than the run is a release that was brought back."""
        node = world.nodes[self.node]
        node.old_releases.append(self.knows)
        node.restart()

        def upgrade() -> None:
            node.old_releases.remove(self.knows)
            node.restart()

        return Hooks(end=upgrade)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> OldRelease:
        """See `Fault`: most nodes are old from the beginning and upgraded one by one, some are brought back."""
        span = space.span(random)
        return cls(node=space.node(random), **(span | {"at": 0} if random.random() < 0.7 else span))
