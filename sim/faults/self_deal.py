"""Traitors that would be paid for bytes which never moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta

from sim.faulthooks import Hooks
from sim.faults.fault import ByzantineFault, name
from sim.faultspace import FaultSpace
from sim.nodeindexes import check_nodes
from sim.scenarioerror import ScenarioError

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


class SelfDeal(ByzantineFault, tag="self_deal"):
    """`node` lies about relays, where a scenario has `relays_every_ms`.

    how: `friend`: it owns the sessions that it takes, and `friend` alone holds and signs for copies of them, of which
    no byte moved; `silent`: it signs no receipts for what it fetched; `greedy`: it also signs receipts for another
    relay, for more than it holds, and of what it did not say.
    """

    how: Literal["friend", "silent", "greedy"] = "silent"
    friend: Annotated[int, Meta(ge=0)] | None = None
    drawn_by_name: ClassVar[bool] = True

    @property
    def byzantine(self) -> frozenset[int]:
        """See `Fault`."""
        return super().byzantine | (frozenset() if self.friend is None else {self.friend})

    def check(self, nodes: int) -> None:
        """See `Fault`."""
        super().check(nodes)
        if (self.how == "friend") != (self.friend is not None) or self.friend == self.node:
            raise ScenarioError("another node, where how is friend, and none else", "friend")
        if self.friend is not None:
            check_nodes("friend", [self.friend], nodes)

    def text(self) -> str:
        """See `Fault`."""
        other = "" if self.friend is None else f" with {name(self.friend)}"
        return f"{name(self.node)} lies about relays ({self.how}){other}"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        load, node = world.relays, self.node
        liars = {"silent": load.silent, "greedy": load.greedy}.get(self.how, set())
        liars.add(node)
        if self.friend is not None:
            load.friends[node] = self.friend

        def end() -> None:
            liars.discard(node)
            load.friends.pop(node, None)

        return Hooks(end=end)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> SelfDeal | None:
        """See `Fault`."""
        if not space.traitors:
            return None
        node, span = random.choice(space.traitors), space.span(random)
        others = [each for each in space.traitors if each != node]
        if others and random.random() < 0.5:
            return cls(node=node, how="friend", friend=random.choice(others), **span)
        return cls(node=node, how=random.choice(("silent", "greedy")), **span)
