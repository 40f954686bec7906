"""A crash in the middle of a write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from sim.clock import Moment
from sim.faulthooks import Hooks
from sim.faults.fault import Color, Lane, NodeFault, name
from sim.faults.newcard import Votes, replace_card
from sim.faults.rot import SHARED
from sim.faults.wipe import Wipe
from sim.faultspace import FaultSpace

if TYPE_CHECKING:
    from random import Random

    from lucid.machines.effects import Effect
    from sim.runner import Runner
    from sim.world import World


class Torn(NodeFault, tag="torn"):
    """`node` stops within a write, its next after `effects` more effects; the rows of that write cannot be read.

    It comes back after `down_ms`, and stops again where it meets one of them. At `until` it has a new card, and its
    vote log is `kept`, or `lost` too. What is torn is the manager's write, beside the ledger.
    """

    lane: ClassVar[Lane] = "disk"
    color: ClassVar[Color] = "crash"
    effects: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    down_ms: Annotated[int, Meta(ge=1, le=86_400_000)] = 1_000
    votes: Votes = "kept"

    @property
    def forgets(self) -> frozenset[int]:
        """See `Fault`."""
        return frozenset((self.node,))

    def text(self) -> str:
        """See `Fault`."""
        return f"a write of {name(self.node)} after {self.effects} effects, vote log {self.votes}"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        node = world.nodes[self.node]
        left, torn = self.effects, False

        def tear(runner: Runner, effect: Effect) -> Effect | None:
            nonlocal left, torn
            if torn or left or not node.manager_disk.being_written():
                left = max(0, left - 1)
                return effect
            torn = True
            rows = [row for row in node.manager_disk.being_written() if row[0] not in SHARED]
            node.hold(self)
            node.rotten.append(self)
            node.manager_disk.damage(rows)
            world.clock.after(self.down_ms * 1000, back)
            return None

        def back(_: Moment) -> None:
            if self in node.rotten:
                node.release(self)

        def end() -> None:
            if torn:
                replace_card(node, self, self.votes)

        return Hooks(effect=tear, nodes=frozenset((self.node,)), end=end)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Torn | None:
        """See `Fault`: as many nodes forget as by `Wipe`."""
        wipe = Wipe.draw(random, space)
        if wipe is None:
            return None
        return cls(
            node=wipe.node,
            effects=random.randrange(random.choice((10, 60, 400))),
            down_ms=random.choice((1, 300, 2_000)),
            votes=wipe.votes,
            at=wipe.at,
            until=wipe.until,
        )
