"""Dissemination: this node's own proposals to all, and large ones of others on to its group (protocol section 4)."""

from __future__ import annotations

from lucid.chain.votes import Vote
from lucid.machines.chain import Chain
from lucid.machines.effects import SPREAD_TIMER, Broadcast, Effects, Send, SetTimer
from lucid.machines.limits import Limits
from lucid.machines.manager.pool import ProposalPool
from lucid.machines.manager.relay import Spreading, relay_groups, relay_targets
from lucid.machines.messages import Proposal, encode_message


class Dissemination:
    """Who is sent which proposal, and when again. `key` is this node's."""

    def __init__(self, key: bytes, chain: Chain, pool: ProposalPool, limits: Limits) -> None:
        self.key = key
        self.chain = chain
        self.pool = pool
        self.limits = limits
        self.spreading: Spreading | None = None
        """Its own proposal that is on its way; None once nobody waits for it."""

    def heard(self, vote: Vote) -> None:
        """A validator's vote came: its signer has what this node put forward."""
        if self.spreading is not None:
            self.spreading.heard(vote)

    def spread(self, now: int, vote: Vote, data: bytes, patience_ms: int) -> Effects:
        """Send out this node's own proposal: a small one to all, a large one to one of each group of validators."""
        keys = self.chain.validators.keys
        # A small one costs little n times; and who is no validator has no group of its own to send to.
        if len(data) <= self.limits.push_bytes or self.key not in keys:
            return [Broadcast(data)]
        self.spreading = spreading = Spreading(vote, data, relay_groups(keys, self.key), now, patience_ms)
        sends: Effects = [Send(target, data) for target in spreading.targets()]
        return [*sends, SetTimer(SPREAD_TIMER, spreading.due_ms)]

    def on_timer(self, now: int) -> Effects:
        """Send an own proposal to those again whose votes have not come, while its view lasts."""
        spreading, tree = self.spreading, self.chain.tree
        if spreading is None or (spreading.vote.epoch, spreading.vote.view) != (tree.epoch, tree.entry_view + 1):
            self.spreading = None
            return []
        if now < spreading.due_ms:
            return [SetTimer(SPREAD_TIMER, spreading.due_ms)]
        targets = spreading.targets()
        if not targets:
            self.spreading = None
            return []
        sends: Effects = [Send(target, spreading.data) for target in targets]
        return [*sends, SetTimer(SPREAD_TIMER, spreading.next_ms())]

    def relay(self, peer: bytes, message: Proposal) -> Effects:
        """Pass a large proposal that came from its leader itself on to the rest of this node's group, once."""
        leader, key = message.vote.signer, (message.vote.view, message.vote.signer)
        # From the leader alone: passed on again by who got it from others, it would go round (section 4, two hops).
        if peer != leader or key in self.pool.relayed:
            return []
        data = encode_message(message)
        if len(data) <= self.limits.push_bytes:
            return []
        self.pool.relayed.add(key)
        targets = relay_targets(self.chain.validators.keys, leader, self.key)
        return [Send(target, data) for target in targets]
