"""The load of what nodes say on the chain that they hold of sessions (protocol section 6, `replica_holding`)."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from msgspec import structs

from lucid.chain.transactions import Ranges, ReplicaHolding, claim_message
from lucid.machines.effects import Submitted
from sim.clock import Moment
from sim.exponential import exponential_us
from sim.workload import HOLDINGS_FROM, MAX_RECENT

if TYPE_CHECKING:
    from sim.world import World


class HoldingLoad:
    """Nodes that say on the chain what they hold of a session: one every `every_us` in the mean, of a session that a
    client tried to anchor lately. The session may not be on the chain, and what a node says may be older than what it
    said last: blocks leave such out."""

    def __init__(self, world: World, every_us: int, random: Random) -> None:
        self.world = world
        self.said = 0
        self._every_us = every_us
        self._random = random
        if every_us:
            self._next()

    def _next(self) -> None:
        self.world.clock.after(exponential_us(self._random, self._every_us), self._say)

    def _say(self, _: Moment) -> None:
        self._next()
        random, sessions = self._random, self.world.workload.recent
        node = self.world.nodes[random.randrange(len(self.world.nodes))]
        place, kept, older = random.randrange(MAX_RECENT), random.random(), random.choice((0, 0, 0, 5))
        if not sessions or not node.up:
            return
        assert node.engine is not None
        anchor = sessions[place % len(sessions)]
        holding = ReplicaHolding(
            node=node.key,
            owner=anchor.owner,
            session=anchor.session,
            height=max(0, node.engine.machine.admission.height - older),  # type: ignore[union-attr]
            ranges=_some(anchor.chunks, kept),
            signature=bytes(64),
        )
        signature = self.world.clients.sign(node.secret, claim_message(self.world.genesis.chain_id, holding))
        self.said += 1
        node.engine.step(Submitted(HOLDINGS_FROM + self.said, structs.replace(holding, signature=signature)))


def _some(chunks: int, kept: float) -> Ranges:
    """All chunks, none, or two parts with a gap between them."""
    if kept < 0.1:
        return ()
    gap = int(chunks * kept / 2)
    return ((0, chunks),) if kept > 0.6 or not 0 < gap < chunks - 1 else ((0, gap), (gap + 1, chunks - gap - 1))
