"""Connections that are reset again and again, as by a router that forgets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from sim.clock import Moment
from sim.faulthooks import Hooks
from sim.faults.fault import NodeFault, name
from sim.faultspace import FaultSpace

if TYPE_CHECKING:
    from random import Random

    from sim.world import World


class Reset(NodeFault, tag="reset"):
    """All of `node`'s connections end, every `every_ms`: what is on its way is lost, and they are dialed anew.

    Datagrams have no connections: with them nothing happens.
    """

    every_ms: Annotated[int, Meta(ge=1, le=86_400_000)] = 5_000

    def text(self) -> str:
        """See `Fault`."""
        return f"{name(self.node)} every {self.every_ms} ms"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        connections, on = world.network.connections, True

        def reset(_: Moment | None = None) -> None:
            if connections is not None and on:
                for other in range(len(world.nodes)):
                    connections.reset(self.node, other)
                world.clock.after(self.every_ms * 1000, reset)

        def end() -> None:
            nonlocal on
            on = False

        reset()
        return Hooks(end=end)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Reset | None:
        """See `Fault`."""
        if space.nodes < 2:
            return None
        return cls(node=space.node(random), every_ms=random.choice((300, 2_000, 10_000)), **space.span(random))
