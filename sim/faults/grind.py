"""A traitor that publishes its randomness only when that serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from lucid.chain.codec import decode
from lucid.machines.messages import Message, Proposal
from sim.faulthooks import Hooks
from sim.faults.fault import ByzantineFault
from sim.faults.withhold import PROPOSAL_KIND
from sim.faultspace import FaultSpace
from sim.sending import Sending

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


class Grind(ByzantineFault, tag="grind"):
    """`node` sends a proposal only where the VRF proof in it serves it: here, where its first byte is odd.

    Withholding is the one choice that a proof leaves to its leader; what it costs is the view.
    """

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""

        def choose(sender: int, sending: Sending) -> list[Sending]:
            if sender != self.node or sending.data[1] != PROPOSAL_KIND:
                return [sending]
            header = decode(sending.data, cast("type[Proposal]", Message)).block.header
            return [sending] if header.vrf_proof[0] & 1 else []

        return Hooks(send=choose)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Grind | None:
        """See `Fault`."""
        return cls(node=random.choice(space.traitors), **space.span(random)) if space.traitors else None
