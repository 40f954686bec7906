"""A node that hears of the world from a traitor alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sim.allowance import Allowance
from sim.faulthooks import Hooks
from sim.faults.fault import ByzantineFault, Color, name
from sim.faultspace import FaultSpace
from sim.nodeindexes import check_nodes
from sim.scenarioerror import ScenarioError

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


class Eclipse(ByzantineFault, tag="eclipse"):
    """All of `victim`'s links are cut but the one to the traitor `node`, which other faults may make lie."""

    color: ClassVar[Color] = "partition"
    victim: int

    def check(self, nodes: int) -> None:
        """See `Fault`."""
        super().check(nodes)
        check_nodes("victim", [self.victim], nodes)
        if self.victim == self.node:
            raise ScenarioError("is the traitor itself", "victim")

    def text(self) -> str:
        """See `Fault`."""
        return f"{name(self.victim)} by {name(self.node)}"

    def allowance(self) -> Allowance:
        """See `Fault`."""
        return Allowance(leaders=frozenset((self.node, self.victim)))

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        victims, traitors = world.bodies(self.victim), world.bodies(self.node)
        others = [each.index for each in world.nodes if each.index not in (*victims, *traitors)]
        return Hooks(cut=frozenset(pair for v in victims for each in others for pair in ((v, each), (each, v))))

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Eclipse | None:
        """See `Fault`."""
        if not space.traitors:
            return None
        node = random.choice(space.traitors)
        victim = random.choice([each for each in range(space.nodes) if each != node])
        return cls(node=node, victim=victim, **space.span(random))
