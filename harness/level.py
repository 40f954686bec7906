"""Whether honest nodes are level: their final heights are no further apart than what is on its way explains."""

from __future__ import annotations

from collections.abc import Sequence

from harness.bounds import Bounds
from harness.overwork import overworked
from lucid.machines.manager import Manager
from sim.node import Node
from sim.world import World

LEVEL_BLOCKS = 2
"""Honest nodes are level when their final heights are no further apart."""


def honest(world: World) -> list[Node]:
    """The nodes that are up, and that no fault makes Byzantine."""
    return [node for node in world.nodes if node.up and node.index not in world.byzantine]


def final_height(node: Node) -> int:
    """The height of a running node's last final block."""
    return manager(node).chain.tree.root.height


def manager(node: Node) -> Manager:
    """The block manager of a running node."""
    assert node.manager is not None and isinstance(node.manager.machine, Manager)
    return node.manager.machine


def level(world: World, nodes: Sequence[Node]) -> bool:
    """Whether these nodes are level; the faults that are on may keep one a while behind."""
    heights = [final_height(node) for node in nodes]
    lag_ms = max((each.lag_ms for each in Bounds(world).allowances), default=0)
    apart = LEVEL_BLOCKS + lag_ms // world.genesis.parameters.block_interval_ms
    return not heights or max(heights) - min(heights) <= apart


def catch_up_ms(world: World, nodes: Sequence[Node]) -> int:
    """How long the slowest of these nodes may take to come level: questions without an answer, then the pages.

    One was put before, and lost with its answer or its connection; each Byzantine node may be asked, and be silent.
    """
    best = max((manager(node).chain.tree.best.height for node in nodes), default=0)
    pages = 3 + (best - min(map(final_height, nodes), default=0)) // world.limits.page_blocks
    unanswered = 1 + max(1, len(world.byzantine))
    return unanswered * world.limits.answer_ms + pages * 1_000


def uneven(world: World, disturbed_us: int) -> str:
    """How far honest nodes are apart, if a sentence is to be said of it, or nothing.

    Nothing while a fault is on that disturbs more than its own node, or was a moment ago (`disturbed_us`).
    """
    bounds = Bounds(world)
    vain = {index for each in bounds.allowances for index in each.leaders}
    nodes = [node for node in world.connected() if node.index not in vain and not overworked(world, node)]
    since_us = max([disturbed_us, *[node.up_since_us for node in nodes]])
    settled_ms = (world.clock.now_us - since_us) // 1000
    disturbed = bool(world.network.cut) or any(each.views or each.wait_ms for each in bounds.allowances)
    if disturbed or settled_ms <= bounds.progress_ms + catch_up_ms(world, nodes) or level(world, nodes):
        return ""
    last, first = min(nodes, key=final_height), max(nodes, key=final_height)
    return (
        f"the nodes are not level: {last.name} is final up to height {final_height(last)}, "
        f"{first.name} up to {final_height(first)}"
    )
