"""A card that loses what was written to it long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from lucid.ledger.state import ROW_TABLE, TREE_TABLE
from sim.faulthooks import Hooks
from sim.faults.fault import Lane, NodeFault, name
from sim.faults.newcard import Votes, replace_card
from sim.faults.wipe import Wipe
from sim.faultspace import FaultSpace

if TYPE_CHECKING:
    from random import Random

    from sim.world import World

SHARED = (ROW_TABLE, TREE_TABLE)
"""The ledger: nodes of one process read it through each other's disks (`share_execution`), so it stays whole."""


class Rot(NodeFault, tag="rot"):
    """`percent` of the rows that `node` holds beside its ledger cannot be read; it stops where it meets one.

    At `until` it has a new card, and its vote log is `kept`, or `lost` too.
    """

    lane: ClassVar[Lane] = "disk"
    percent: Annotated[float, Meta(gt=0, le=100)]
    votes: Votes = "kept"

    @property
    def forgets(self) -> frozenset[int]:
        """See `Fault`."""
        return frozenset((self.node,))

    def text(self) -> str:
        """See `Fault`."""
        return f"{self.percent:g} % of what {name(self.node)} holds, vote log {self.votes}"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        node, chance = world.nodes[self.node], world.stream(f"rot/{self.node}/{self.at_ms}").random
        disk = node.manager_disk
        tables = [each for each in disk.tables() if each not in SHARED]
        rows = [(table, key) for table in tables for key in disk.keys(table)]
        node.rotten.append(self)
        disk.damage([row for row in rows if chance() * 100 < self.percent])

        def end() -> None:
            replace_card(node, self, self.votes)

        return Hooks(end=end)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Rot | None:
        """See `Fault`: as many nodes forget as by `Wipe`."""
        wipe = Wipe.draw(random, space)
        if wipe is None:
            return None
        percent = random.choice((1, 10, 100))
        return cls(node=wipe.node, percent=percent, votes=wipe.votes, at=wipe.at, until=wipe.until)
