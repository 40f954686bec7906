"""A key that is run twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import field

from sim.allowance import Allowance
from sim.faulthooks import Hooks
from sim.faults.fault import ByzantineFault, name
from sim.faultspace import FaultSpace
from sim.nodeindexes import check_nodes

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


class Twin(ByzantineFault, tag="twin"):
    """A second node runs with the key of `node`, as after a copied disk image (Bano et al., Twins, 2021).

    While the fault is on, the twin talks to the nodes of `sees` alone, and the first one to all others. The twin runs
    from the beginning; when the fault ends it stops permanently.
    """

    sees: list[int] = field(default_factory=list)

    @property
    def twins(self) -> tuple[int, ...]:
        """See `Fault`."""
        return (self.node,)

    def check(self, nodes: int) -> None:
        """See `Fault`."""
        super().check(nodes)
        check_nodes("sees", self.sees, nodes)

    def text(self) -> str:
        """See `Fault`."""
        return f"{name(self.node)} twice, the second with {' '.join(map(name, self.sees)) or 'nobody'}"

    def allowance(self) -> Allowance:
        """See `Fault`."""
        return Allowance(leaders=frozenset((self.node,)))

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        first, twin = world.bodies(self.node)
        with_twin = {body for index in self.sees for body in world.bodies(index)}
        pairs = set()
        for each in range(len(world.nodes)):
            apart = first if each in with_twin else twin
            if each not in (first, twin):
                pairs |= {(apart, each), (each, apart)}

        def end() -> None:
            world.nodes[twin].hold(self)

        return Hooks(cut=frozenset(pairs), end=end)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Twin | None:
        """See `Fault`: one for each traitor at most."""
        if not space.traitors:
            return None
        node = space.traitors[0]
        sees = sorted(random.sample(range(space.nodes), random.randint(1, space.nodes - 1)))
        return cls(node=node, sees=sees, at=0, until=random.randint(1, space.calm_ms))
