"""A leader that puts two blocks forward in one view."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from lucid.chain.codec import decode, encode
from lucid.chain.votes import FINALIZE, NOTARIZE
from lucid.machines.messages import Message, Proposal, VoteMessage
from sim.faulthooks import Hooks
from sim.faults.fault import ByzantineFault
from sim.faults.forged import another, sign
from sim.faults.withhold import PROPOSAL_KIND
from sim.faultspace import FaultSpace
from sim.sending import Sending

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


class Equivocate(ByzantineFault, tag="equivocate"):
    """When `node` leads, every second receiver gets another valid block of the same view.

    All traitors of the run stand by: each half gets their notarize and finalize for its own block.
    """

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""

        def split(sender: int, sending: Sending) -> list[Sending]:
            if sender != self.node or sending.data[1] != PROPOSAL_KIND:
                return [sending]
            proposal = decode(sending.data, cast("type[Proposal]", Message))
            other = another(world, self.node, proposal)
            if other is None:
                return [sending]
            leaving = []
            for made, half in ((proposal, sending.receivers[::2]), (other, sending.receivers[1::2])):
                leaving.append(sending._replace(receivers=half, data=encode(made)))
                for traitor in sorted(world.byzantine):
                    for kind in (NOTARIZE, FINALIZE):
                        # Each from its own signer: no other peer's word is taken.
                        vote = sign(world, traitor, made.vote.epoch, made.vote.view, kind, made.vote.block)
                        others = [each for each in half if each != traitor]
                        world.network.transmit(traitor, vote.signer, others, encode(VoteMessage(vote)))
            return leaving

        return Hooks(send=split)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Equivocate | None:
        """See `Fault`."""
        if not space.traitors:
            return None
        return cls(node=random.choice(space.traitors), **space.span(random))
