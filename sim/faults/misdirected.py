"""A write that a card puts in the wrong place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from sim.clock import Moment
from sim.faulthooks import Hooks
from sim.faults.fault import Lane, NodeFault, name
from sim.faults.newcard import Votes, replace_card
from sim.faults.rot import SHARED
from sim.faults.wipe import Wipe
from sim.faultspace import FaultSpace

if TYPE_CHECKING:
    from random import Random

    from lucid.machines.effects import Effect
    from sim.runner import Runner
    from sim.world import World


class Misdirected(NodeFault, tag="misdirected"):
    """A row that `node` writes, after `effects` more effects, lands in place of another, and is as it was before.

    The other row cannot be read: its checksum is of the row that lies there. The one that was meant reads well, which
    no checksum of its own can tell. `stop_ms` later the node stops, and starts from that card in a second; where it
    meets either it stops again. At `until` it has a new card, and its vote log is `kept`, or `lost` too. What is
    misdirected is a row of the manager, beside the ledger.
    """

    lane: ClassVar[Lane] = "disk"
    drawn_by_name: ClassVar[bool] = True
    effects: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    stop_ms: Annotated[int, Meta(ge=1, le=86_400_000)] = 1_000
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
        node, choice = world.nodes[self.node], world.stream(f"misdirected/{self.node}/{self.at_ms}").choice
        left, done = self.effects, False

        def misdirect(runner: Runner, effect: Effect) -> Effect:
            nonlocal left, done
            disk = node.manager_disk
            meant = [row for row in disk.being_written() if row[0] not in SHARED]
            if done or left or not meant:
                left = max(0, left - 1)
                return effect
            rows = [(table, key) for table in disk.tables() if table not in SHARED for key in disk.keys(table)]
            others = [row for row in rows if row not in meant]
            if others:
                done = True
                node.rotten.append(self)
                disk.misdirect(choice(meant), choice(others))
                world.clock.after(self.stop_ms * 1000, stop)
            return effect

        def stop(_: Moment) -> None:
            if self in node.rotten:
                node.hold_for(self, 1_000)

        def end() -> None:
            if done:
                replace_card(node, self, self.votes)

        return Hooks(effect=misdirect, nodes=frozenset((self.node,)), end=end)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Misdirected | None:
        """See `Fault`: as many nodes forget as by `Wipe`."""
        wipe = Wipe.draw(random, space)
        if wipe is None:
            return None
        return cls(
            node=wipe.node,
            effects=random.randrange(random.choice((10, 60, 400))),
            stop_ms=random.choice((1, 300, 2_000)),
            votes=wipe.votes,
            at=wipe.at,
            until=wipe.until,
        )
