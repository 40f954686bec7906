"""Nodes that have more to do than they can."""

from __future__ import annotations

from sim.node import Node
from sim.world import World


def overworked(world: World, node: Node) -> bool:
    """Whether a node's core or its uplink still has more than a block interval's work to do."""
    behind_us = max(node.behind_us, world.network.uplink_behind_us(node.index))
    return behind_us > world.genesis.parameters.block_interval_ms * 1000
