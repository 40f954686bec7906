"""Links that carry messages one way only."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec import field

from sim.allowance import Allowance
from sim.faulthooks import Hooks
from sim.faults.fault import Color, Fault, name
from sim.faultspace import FaultSpace
from sim.nodeindexes import check_nodes
from sim.scenarioerror import ScenarioError

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


class OneWay(Fault, tag="one_way"):
    """Nothing that `nodes` send reaches `to`; what those send reaches them."""

    color: ClassVar[Color] = "partition"
    nodes: list[int] = field(default_factory=list)
    to: list[int] = field(default_factory=list)

    def check(self, nodes: int) -> None:
        """See `Fault`."""
        for key, indexes in (("nodes", self.nodes), ("to", self.to)):
            if not indexes:
                raise ScenarioError("names no node, so nothing is cut", key)
            check_nodes(key, indexes, nodes)

    def text(self) -> str:
        """See `Fault`."""
        return f"{' '.join(map(name, self.nodes))} unheard by {' '.join(map(name, self.to))}"

    def allowance(self) -> Allowance:
        """See `Fault`: who is not heard leads in vain."""
        return Allowance(leaders=frozenset(self.nodes))

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        senders = [body for node in self.nodes for body in world.bodies(node)]
        receivers = [body for node in self.to for body in world.bodies(node)]
        return Hooks(cut=frozenset((a, b) for a in senders for b in receivers if a != b))

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> OneWay | None:
        """See `Fault`."""
        if space.nodes < 2:
            return None
        groups = space.groups(random)
        return cls(nodes=groups[0], to=groups[1], **space.span(random))
