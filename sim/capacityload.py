"""The load of what nodes declare that they have room for, and what the chain makes of it (protocol section 8, Weights).

Each node looks at its own ledger and declares again what that does not have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from lucid.chain.transactions import NodeCapacity, claim_message
from lucid.chain.versions import CAPACITY_RULES
from lucid.ledger.rows import WEIGHTS_KEY
from lucid.ledger.rules import member_number
from lucid.ledger.weights import entry_of
from lucid.machines.effects import Submitted
from sim.clock import Moment

if TYPE_CHECKING:
    from lucid.ledger.state import Ledger
    from sim.node import Node
    from sim.world import World

LOOK_US = 5_000_000
CAPACITIES_FROM = 1 << 42
"""Requests with such numbers are this load's."""


class CapacityLoad:
    """Nodes that declare these tickets, the first the first; 0: nothing."""

    def __init__(self, world: World, tickets: list[int]) -> None:
        self.world = world
        self.said = 0
        self._tickets = tickets
        if tickets:
            world.clock.after(LOOK_US, self._look)

    def _look(self, _: Moment) -> None:
        self.world.clock.after(LOOK_US, self._look)
        for node, tickets in zip(self.world.nodes, self._tickets, strict=False):
            if node.up and tickets and node.engine is not None:
                self._declare(node, tickets)

    def _declare(self, node: Node, tickets: int) -> None:
        ledger = final_ledger(node)
        core = ledger.core
        number = member_number(list(core.roster.members), node.key)
        if core.rules.version < CAPACITY_RULES or number is None:
            return
        if entry_of(ledger.row(WEIGHTS_KEY), number).declared == tickets:
            return
        blank = NodeCapacity(node.key, core.head.height, tickets, bytes(64))
        signature = self.world.clients.sign(node.secret, claim_message(self.world.genesis.chain_id, blank))
        self.said += 1
        assert node.engine is not None, "it was looked at"
        node.engine.step(Submitted(CAPACITIES_FROM + self.said, structs.replace(blank, signature=signature)))


def final_ledger(node: Node) -> Ledger:
    """The last final ledger of a node that runs."""
    assert node.manager is not None, "it runs"
    return node.manager.machine.chain.tree.root.ledger  # type: ignore[union-attr]
