"""A traitor that sends more than anyone needs, to keep its peers busy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, cast, get_args

from msgspec import Meta
from msgspec.structs import replace

from lucid.chain.certificates import Certificate
from lucid.chain.codec import encode
from lucid.chain.votes import NOTARIZE, SKIP
from lucid.machines.messages import (
    BlocksRequest,
    CertificateMessage,
    CertificatesRequest,
    PartRequest,
    Standing,
    VoteMessage,
)
from sim.clock import Moment
from sim.faulthooks import Hooks
from sim.faults.fault import ByzantineFault, name
from sim.faults.forged import sign
from sim.faultspace import FaultSpace

if TYPE_CHECKING:
    from random import Random

    from lucid.machines.manager import Manager
    from sim.world import World

Water = Literal["votes", "forged", "certificates", "standings", "requests", "junk"]
AHEAD_VIEWS = 64


class Flood(ByzantineFault, tag="flood"):
    """`node` sends everybody one more message of `what` every `every_ms`.

    `votes`: of its own for views to come; `forged`: such votes without its signature; `certificates`: that nobody
    signed; `standings`: as if far behind; `requests`: for blocks, certificates and parts; `junk`: bytes that say
    nothing.
    """

    what: Water = "votes"
    every_ms: Annotated[int, Meta(ge=1, le=3_600_000)] = 10

    def text(self) -> str:
        """See `Fault`."""
        return f"{name(self.node)}, {self.what}, one every {self.every_ms} ms"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        random, traitor, on = world.stream(f"flood/{self.node}/{self.at}"), world.nodes[self.node], True

        def pour(_: Moment | None = None) -> None:
            if not on:
                return
            world.clock.after(self.every_ms * 1000, pour)
            if traitor.manager is not None:
                tree = cast("Manager", traitor.manager.machine).chain.tree
                data = self._drop(world, random, tree.epoch, tree.entry_view)
                world.network.transmit(self.node, traitor.key, traitor.peers, data)

        def end() -> None:
            nonlocal on
            on = False

        world.clock.after(self.every_ms * 1000, pour)
        return Hooks(end=end)

    def _drop(self, world: World, random: Random, epoch: int, entered: int) -> bytes:
        view = entered + 1 + random.randrange(AHEAD_VIEWS)
        if self.what in ("votes", "forged"):
            kind = random.choice((NOTARIZE, SKIP))
            block = random.randbytes(32) if kind == NOTARIZE else b""
            vote = sign(world, self.node, epoch, view, kind, block)
            return encode(VoteMessage(vote if self.what == "votes" else replace(vote, signature=random.randbytes(64))))
        if self.what == "certificates":
            count = world.quorum
            bitmap = ((1 << count) - 1).to_bytes((len(world.index) + 7) // 8, "little")
            false = Certificate(epoch, view, SKIP, b"", bitmap, tuple([random.randbytes(64) for _ in range(count)]))
            return encode(CertificateMessage(false))
        if self.what == "standings":
            return encode(Standing(epoch, 0, 0, (), None))
        if self.what == "requests":
            number = random.randrange(1 << 32)
            asked = (BlocksRequest(number, 1), CertificatesRequest(epoch, 1, view), PartRequest(number, 1, 0))
            return encode(random.choice(asked))
        # The first two bytes of a vote, so that it is decoded at all.
        return encode(VoteMessage(sign(world, self.node, epoch, view, SKIP, b"")))[:2] + random.randbytes(200)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Flood | None:
        """See `Fault`."""
        if not space.traitors:
            return None
        what: tuple[Water, ...] = get_args(Water)
        return cls(
            node=random.choice(space.traitors),
            what=what[random.randrange(len(what))],
            every_ms=random.choice((5, 20, 100)),
            **space.span(random),
        )
