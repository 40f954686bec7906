"""A leader that proposes a closing block again on a notarization that nobody gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from msgspec import structs

from lucid.chain.codec import decode, encode
from lucid.machines.messages import Message, Proposal
from sim.faulthooks import Hooks
from sim.faults.fault import ByzantineFault
from sim.faults.withhold import PROPOSAL_KIND
from sim.faultspace import FaultSpace
from sim.sending import Sending

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


class FalseRepeat(ByzantineFault, tag="false_repeat"):
    """When `node` leads and a closing block comes again, the signatures of its notarization are made up."""

    drawn_by_name: ClassVar[bool] = True

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""

        def forge(sender: int, sending: Sending) -> list[Sending]:
            if sender != self.node or sending.data[1] != PROPOSAL_KIND:
                return [sending]
            proposal = decode(sending.data, cast("type[Proposal]", Message))
            held = proposal.notarization
            if held is None:
                return [sending]
            false = structs.replace(held, signatures=tuple([bytes(64) for _ in held.signatures]))
            return [sending._replace(data=encode(structs.replace(proposal, notarization=false)))]

        return Hooks(send=forge)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> FalseRepeat | None:
        """See `Fault`."""
        return cls(node=random.choice(space.traitors), **space.span(random)) if space.traitors else None
