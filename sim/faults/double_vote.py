"""A validator that votes for everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from lucid.chain.codec import decode, encode
from lucid.chain.errors import Refusal
from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP
from lucid.machines.messages import Message, Proposal, VoteMessage
from sim.faulthooks import Hooks
from sim.faults.fault import ByzantineFault, name
from sim.faults.forged import sign
from sim.faults.withhold import PROPOSAL_KIND
from sim.faultspace import FaultSpace
from sim.sending import Sending

if TYPE_CHECKING:
    from random import Random

    from lucid.machines.effects import Received
    from sim.world import World


class DoubleVote(ByzantineFault, tag="double_vote"):
    """`node` signs more than it may, besides what its engine signs.

    how: `everything`: notarize and finalize for every proposal that it hears, and skip of the same view; `both`: for
    each vote of its own a second one to every other receiver, for another block, or finalize with skip.
    """

    how: Literal["everything", "both"] = "everything"

    def text(self) -> str:
        """See `Fault`."""
        return f"{name(self.node)} votes for {self.how}"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        traitor = world.nodes[self.node]

        def heard(receiver: int, event: Received) -> Received:
            if receiver == self.node and event.data[1] == PROPOSAL_KIND and traitor.up:
                try:
                    vote = decode(event.data, cast("type[Proposal]", Message)).vote
                except Refusal:
                    return event  # forged by another traitor
                for kind, block in ((NOTARIZE, vote.block), (FINALIZE, vote.block), (SKIP, b"")):
                    data = encode(VoteMessage(sign(world, self.node, vote.epoch, vote.view, kind, block)))
                    world.network.send(self.node, traitor.key, traitor.peers, data)
            return event

        def doubled(sender: int, sending: Sending) -> list[Sending]:
            if sender != self.node or sending.data[1] != VOTE_KIND:
                return [sending]
            vote = decode(sending.data, cast("type[VoteMessage]", Message)).vote
            kind, block = (SKIP, b"") if vote.kind == FINALIZE else (NOTARIZE, bytes([vote.view & 255]) * 32)
            other = encode(VoteMessage(sign(world, self.node, vote.epoch, vote.view, kind, block)))
            return [sending, sending._replace(receivers=sending.receivers[1::2], data=other)]

        return Hooks(deliver=heard) if self.how == "everything" else Hooks(send=doubled)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> DoubleVote | None:
        """See `Fault`."""
        if not space.traitors:
            return None
        return cls(node=random.choice(space.traitors), how=random.choice(("everything", "both")), **space.span(random))


VOTE_KIND = VoteMessage.__struct_config__.tag
