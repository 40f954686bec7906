"""Groups of nodes between which nothing passes."""

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


class Partition(Fault, tag="partition"):
    """No message passes between `groups` of node indexes; a node in none of them talks to all."""

    color: ClassVar[Color] = "partition"
    groups: list[list[int]] = field(default_factory=list)

    def check(self, nodes: int) -> None:
        """See `Fault`."""
        if len(self.groups) < 2:
            raise ScenarioError("a partition needs two groups or more", "groups")
        if not all(self.groups):
            raise ScenarioError("a partition with an empty group cuts nothing: name its nodes", "groups")
        check_nodes("groups", [index for group in self.groups for index in group], nodes)

    def text(self) -> str:
        """See `Fault`."""
        return " | ".join(" ".join(map(name, group)) for group in self.groups)

    def allowance(self) -> Allowance:
        """See `Fault`: the smaller groups lead in vain."""
        largest = max(self.groups, key=len, default=[])
        return Allowance(leaders=frozenset(i for group in self.groups if group is not largest for i in group))

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        return Hooks(
            cut=frozenset(
                (a, b)
                for group in self.groups
                for other in self.groups
                if other is not group
                for each in group
                for a in world.bodies(each)
                for b in [body for node in other for body in world.bodies(node)]
            )
        )

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Partition | None:
        """See `Fault`."""
        if space.nodes < 2:
            return None
        groups = space.groups(random, random.choice((2, 2, 2, min(3, space.nodes))))
        return cls(groups=groups, **space.span(random))
