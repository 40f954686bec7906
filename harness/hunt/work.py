"""What a traitor makes others do: the microseconds of a core that each node spends on signatures that it sent."""

from __future__ import annotations

from typing import Any

from harness.invariants import Diverged
from harness.level import final_height
from lucid.machines.effects import Received
from lucid.machines.messages import Blocks, VoteMessage
from sim.node import Node
from sim.world import World

WORK = "work for one traitor"
WINDOW_US = 10_000_000
SHARE_PERCENT = 3
"""How much of a core a node may spend on what one traitor sent, over ten seconds of virtual time."""

_BLOCKS = Blocks.__struct_config__.tag


class Work:
    """A meter that raises `Diverged` once a node has spent more on one traitor than its share of a window.

    Views may fly by when a network catches up, and each allows a few votes, so it is the time that counts, not the
    number of signatures. What a node asked for and what made blocks final at it does not count: somebody has to bring
    them, and they cost the same from whoever does. `most_us` is the most that was spent in any window.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.most_us = 0
        self._traitors = {world.nodes[index].key for index in world.byzantine}
        self._spent: dict[tuple[int, bytes], tuple[int, int]] = {}
        self._heights: dict[int, int] = {}

    def spent(self, node: Node, event: Any, spent_us: int) -> None:
        """An event cost a node so much."""
        if not self._traitors or node.index in self.world.byzantine:
            return
        height = final_height(node)
        higher = height > self._heights.get(node.index, 0)
        self._heights[node.index] = height
        kind = type(event)
        # Votes pass through the manager unseen: the engine has them from it, and each comes from its signer.
        peer = event.peer if kind is Received else event.vote.signer if kind is VoteMessage else None
        if peer not in self._traitors or (higher and kind is Received and event.data[1] == _BLOCKS):
            return
        window = self.world.clock.now_us // WINDOW_US
        since, total_us = self._spent.get((node.index, peer), (window, 0))
        total_us = spent_us + (total_us if since == window else 0)
        self._spent[node.index, peer] = (window, total_us)
        self.most_us = max(self.most_us, total_us)
        if total_us > WINDOW_US * SHARE_PERCENT // 100:
            name = self.world.nodes[self.world.index[peer]].name
            raise Diverged(WORK, f"{node.name} spent {total_us / 1e6:.2f} s of 10 s on signatures that {name} sent")
