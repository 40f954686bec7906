"""A node that keeps its proposals to itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lucid.machines.messages import Proposal
from sim.faulthooks import Hooks
from sim.faults.fault import NodeFault
from sim.faultspace import FaultSpace
from sim.sending import Sending

if TYPE_CHECKING:
    from random import Random

    from sim.world import World

PROPOSAL_KIND = 1
assert Proposal.__struct_config__.tag == PROPOSAL_KIND


class Withhold(NodeFault, tag="withhold"):
    """`node` sends no proposal."""

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""

        def keep_back(sender: int, sending: Sending) -> tuple[Sending, ...]:
            return () if sender == self.node and sending.data[1] == PROPOSAL_KIND else (sending,)

        return Hooks(send=keep_back)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Withhold:
        """See `Fault`."""
        return cls(node=space.node(random), **space.span(random))
