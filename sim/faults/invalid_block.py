"""A leader that signs blocks that are not valid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast, get_args

from msgspec import structs

from lucid.chain.blocks import Block
from lucid.chain.codec import decode, encode
from lucid.chain.votes import PROPOSE
from lucid.machines.messages import Message, Proposal
from sim.faulthooks import Hooks
from sim.faults.fault import ByzantineFault, name
from sim.faults.forged import sign
from sim.faults.withhold import PROPOSAL_KIND
from sim.faultspace import FaultSpace
from sim.sending import Sending

if TYPE_CHECKING:
    from random import Random

    from sim.world import World

Wrong = Literal[
    "version", "chain", "height", "epoch", "view", "tick", "parent", "transactions_root", "state_root", "entity",
    "proposer", "vrf_proof", "beacon", "validators", "next_validators", "parent_certificate",
    "late_votes", "signature",
]  # fmt: skip


class InvalidBlock(ByzantineFault, tag="invalid_block"):
    """When `node` leads, its blocks are not valid: what the header says at `wrong` is not so, or it is not signed.

    The leader signs what it made of them, so nothing but the rule itself tells.
    """

    drawn_by_name: ClassVar[bool] = True
    wrong: Wrong = "signature"

    def text(self) -> str:
        """See `Fault`."""
        return f"{name(self.node)}, {self.wrong}"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""

        def spoil(sender: int, sending: Sending) -> list[Sending]:
            if sender != self.node or sending.data[1] != PROPOSAL_KIND:
                return [sending]
            proposal = decode(sending.data, cast("type[Proposal]", Message))
            if proposal.notarization is not None:
                return [sending]
            return [sending._replace(data=encode(self._spoiled(world, proposal)))]

        return Hooks(send=spoil)

    def _spoiled(self, world: World, proposal: Proposal) -> Proposal:
        block, vote = proposal.block, proposal.vote
        header = block.header
        if self.wrong != "signature":
            header = structs.replace(header, **{self.wrong: _other(getattr(header, self.wrong))})
        signature = world.clients.sign(world.nodes[self.node].secret, header.hash)
        if self.wrong == "signature":
            signature = bytes(len(signature))
        made = Block(header, signature, block.parent_certificate, block.late_votes, block.transactions)
        return Proposal(sign(world, self.node, vote.epoch, vote.view, PROPOSE, header.hash), made, None)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> InvalidBlock | None:
        """See `Fault`."""
        if not space.traitors:
            return None
        wrong: tuple[Wrong, ...] = get_args(Wrong)
        return cls(node=random.choice(space.traitors), wrong=random.choice(wrong), **space.span(random))


def _other(value: Any) -> Any:
    """Another value of the same kind."""
    return value + 1 if isinstance(value, int) else bytes((value[0] ^ 1,)) + value[1:]
