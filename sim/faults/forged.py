"""What a traitor makes up with its key: votes, and other proposals of a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from lucid.chain.blocks import Block
from lucid.chain.votes import PROPOSE, Vote, vote_message
from lucid.machines.manager import Manager
from lucid.machines.messages import Proposal

if TYPE_CHECKING:
    from sim.world import World


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
        parent.ledger,
        parent.hash,
        parent.turn,
        certificate=block.parent_certificate,
        view=header.view,
        tick=tick,
        vrf_proof=header.vrf_proof,
        late_votes=late,
        candidates=transactions,
    )
    world.crypto.spent_us = 0
    hash_ = built.header.hash
    if hash_ == header.hash:
        return None
    signature = world.clients.sign(world.nodes[node].secret, hash_)
    made = Block(built.header, signature, built.parent_certificate, built.late_votes, built.transactions)
    return Proposal(sign(world, node, proposal.vote.epoch, proposal.vote.view, PROPOSE, hash_), made, None)
