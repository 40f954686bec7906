"""Old messages that come again, as they were or forged."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from sim.clock import Moment
from sim.faulthooks import Hooks
from sim.faults.fault import ByzantineFault, name
from sim.faultspace import FaultSpace
from sim.sending import Sending

if TYPE_CHECKING:
    from random import Random

    from sim.world import World

KEPT = 512


class Replay(ByzantineFault, tag="replay"):
    """`node` sends what it and others sent before to everybody, one message every `every_ms`.

    `forged_percent` of them with one byte changed: certificates, votes, blocks and answers that do not hold.
    """

    every_ms: Annotated[int, Meta(ge=1, le=3_600_000)] = 100
    forged_percent: Annotated[int, Meta(ge=0, le=100)] = 0

    def text(self) -> str:
        """See `Fault`."""
        forged = f", {self.forged_percent} % forged" if self.forged_percent else ""
        return f"{name(self.node)} one every {self.every_ms} ms{forged}"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        random, seen = world.stream(f"replay/{self.node}/{self.at}"), deque[bytes](maxlen=KEPT)
        traitor, on = world.nodes[self.node], True

        def keep(sender: int, sending: Sending) -> tuple[Sending, ...]:
            seen.append(sending.data)
            return (sending,)

        def again(_: Moment) -> None:
            if not on:
                return
            world.clock.after(self.every_ms * 1000, again)
            if not seen or not traitor.up:
                return
            data = bytearray(seen[random.randrange(len(seen))])
            if random.randrange(100) < self.forged_percent:
                # Not the first two bytes: they say which message it is, and the rest would not be looked at.
                data[2 + random.randrange(len(data) - 2)] ^= 1 << random.randrange(8)
            world.network.transmit(self.node, traitor.key, traitor.peers, bytes(data))

        def end() -> None:
            nonlocal on
            on = False

        world.clock.after(self.every_ms * 1000, again)
        return Hooks(send=keep, end=end)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Replay | None:
        """See `Fault`."""
        if not space.traitors:
            return None
        return cls(
            node=random.choice(space.traitors),
            every_ms=random.choice((20, 100, 1_000)),
            forged_percent=random.choice((0, 20, 100)),
            **space.span(random),
        )
