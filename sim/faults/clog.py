"""A link that holds back what is sent over it, and lets go of all of it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import field

from sim.faulthooks import Hooks
from sim.faults.fault import NodeFault, name
from sim.faultspace import FaultSpace
from sim.nodeindexes import check_nodes
from sim.sending import Sending

if TYPE_CHECKING:
    from random import Random

    from sim.world import World

MOST_HELD = 4_096
"""Messages that a clogged link holds; then the oldest is lost, as of a peer's queue."""


class Clog(NodeFault, tag="clog"):
    """What `node` sends to nodes of `to` (all if there are none) waits until the fault ends, then leaves in order."""

    to: list[int] = field(default_factory=list)

    def check(self, nodes: int) -> None:
        """See `Fault`."""
        super().check(nodes)
        check_nodes("to", self.to, nodes)

    def text(self) -> str:
        """See `Fault`."""
        return f"{name(self.node)} to {' '.join(map(name, self.to)) or 'all'}"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        to = frozenset(self.to or range(len(world.nodes)))
        held: list[Sending] = []

        def hold(sender: int, sending: Sending) -> list[Sending]:
            if sender != self.node:
                return [sending]
            kept = [each for each in sending.receivers if each in to]
            if kept:
                held.append(sending._replace(receivers=kept))
                del held[:-MOST_HELD]
            free = [each for each in sending.receivers if each not in to]
            return [sending._replace(receivers=free)] if free else []

        def let_go() -> None:
            key = world.nodes[self.node].key
            for each in held:
                world.network.transmit(self.node, key, each.receivers, each.data, each.delay_us)

        return Hooks(held=frozenset((self.node, each) for each in to), send=hold, end=let_go)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Clog | None:
        """See `Fault`."""
        if space.nodes < 2:
            return None
        node = space.node(random)
        others = [each for each in range(space.nodes) if each != node]
        return cls(node=node, to=sorted(random.sample(others, random.randint(1, len(others)))), **space.span(random))
