"""A node that talks to some alone, or keeps some kinds of message to itself, or sends them late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, field

from lucid.machines.messages import (
    Blocks,
    CertificateMessage,
    Certificates,
    Proposal,
    Standing,
    Transactions,
    VoteMessage,
)
from sim.faulthooks import Hooks
from sim.faults.fault import ByzantineFault, name, tag
from sim.faultspace import FaultSpace
from sim.nodeindexes import check_nodes
from sim.sending import Sending

if TYPE_CHECKING:
    from random import Random

    from sim.world import World

MessageName = Literal["proposal", "vote", "certificate", "standing", "transactions", "blocks", "certificates"]
TAGS: dict[str, int] = {
    label: tag(kind)
    for label, kind in (
        ("proposal", Proposal),
        ("vote", VoteMessage),
        ("certificate", CertificateMessage),
        ("standing", Standing),
        ("transactions", Transactions),
        ("blocks", Blocks),
        ("certificates", Certificates),
    )
}


class Selective(ByzantineFault, tag="selective"):
    """`node` sends messages of `messages` (all kinds if there are none) to `to` alone, `late_ms` later.

    With nobody in `to` it is a withholder, with everybody and a delay a late releaser.
    """

    messages: list[MessageName] = field(default_factory=list)
    to: list[int] = field(default_factory=list)
    late_ms: Annotated[int, Meta(ge=0, le=3_600_000)] = 0

    def check(self, nodes: int) -> None:
        """See `Fault`."""
        super().check(nodes)
        check_nodes("to", self.to, nodes)

    def text(self) -> str:
        """See `Fault`."""
        late = f", {self.late_ms} ms late" if self.late_ms else ""
        what, whom = " ".join(self.messages) or "all", " ".join(map(name, self.to)) or "nobody"
        return f"{name(self.node)} sends {what} to {whom}{late}"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        kinds = {TAGS[each] for each in self.messages}
        to = frozenset(self.to)

        def choose(sender: int, sending: Sending) -> list[Sending]:
            if sender != self.node or (kinds and sending.data[1] not in kinds):
                return [sending]
            kept = [each for each in sending.receivers if each in to]
            return [Sending(kept, sending.data, sending.delay_us + self.late_ms * 1000)] if kept else []

        return Hooks(send=choose)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Selective | None:
        """See `Fault`."""
        if not space.traitors:
            return None
        return cls(
            node=random.choice(space.traitors),
            messages=sorted(random.sample(sorted(TAGS), random.randint(0, 3))),  # type: ignore[arg-type]
            to=sorted(random.sample(range(space.nodes), random.randint(0, space.nodes))),
            late_ms=random.choice((0, 0, 700, 3_000)),
            **space.span(random),
        )
