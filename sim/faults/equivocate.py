"""A leader that puts two blocks forward in one view."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from lucid.chain.blocks import Block
from lucid.chain.codec import decode, encode
from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, Vote, vote_message
from lucid.machines.manager import Manager
from lucid.machines.messages import Message, Proposal, VoteMessage
from sim.faulthooks import Hooks
from sim.faults.fault import ByzantineFault
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


def sign(world: World, node: int, epoch: int, view: int, kind: int, block: bytes) -> Vote:
    """A vote by a node's key, whatever its vote log holds."""
    traitor = world.nodes[node]
    message = vote_message(world.genesis.chain_id, epoch, view, kind, block)
    return Vote(epoch, view, kind, block, traitor.key, world.clients.sign(traitor.secret, message))


def another(world: World, node: int, proposal: Proposal) -> Proposal | None:
    """Another valid proposal of the same view, by its leader; None for a closing block, of which there is one."""
    runner = world.nodes[node].manager
    if runner is None or proposal.notarization is not None:
        return None
    chain = cast("Manager", runner.machine).chain
    block, parent = proposal.block, chain.tree.nodes.get(proposal.block.header.parent)
    if parent is None:
        return None
    header = block.header
    # Without what can be left out, or else one tick later, which is another header at least.
    late, transactions, tick = block.late_votes, block.transactions, header.tick
    if transactions:
        transactions = ()
    elif late:
        late = ()
    else:
        tick += 1
    built = chain.validator.build(
        parent.ledger, parent.hash, parent.turn, block.parent_certificate, header.view, tick, header.vrf_proof, late,
        transactions,
    )  # fmt: skip
    world.crypto.spent_us = 0
    hash_ = built.header.hash
    if hash_ == header.hash:
        return None
    signature = world.clients.sign(world.nodes[node].secret, hash_)
    made = Block(built.header, signature, built.parent_certificate, built.late_votes, built.transactions)
    return Proposal(sign(world, node, proposal.vote.epoch, proposal.vote.view, PROPOSE, hash_), made, None)
