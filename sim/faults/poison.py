"""A peer that answers those who catch up with what does not help them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from msgspec import structs

from lucid.chain.codec import decode, encode
from lucid.machines.messages import Blocks, Certificates, Message, Part, SnapshotOffer
from sim.faulthooks import Hooks
from sim.faults.fault import ByzantineFault, name, tag
from sim.faultspace import FaultSpace
from sim.sending import Sending

if TYPE_CHECKING:
    from random import Random

    from sim.world import World

ANSWERS = frozenset((tag(Blocks), tag(Certificates), tag(SnapshotOffer), tag(Part)))


How = Literal["silent", "empty", "drip", "false"]
HOW: tuple[How, ...] = ("silent", "empty", "drip", "false")


class Poison(ByzantineFault, tag="poison"):
    """`node`'s answers to requests are `silent`: none; `empty`; `drip`: one block, just in time; or `false`.

    A drip comes `drip_ms` after it was asked for.
    """

    how: How = "silent"
    drip_ms: int = 9_900

    def text(self) -> str:
        """See `Fault`."""
        return f"{name(self.node)}, answers {self.how}"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""

        def answer(sender: int, sending: Sending) -> list[Sending]:
            if sender != self.node or sending.data[1] not in ANSWERS:
                return [sending]
            if self.how == "silent":
                return []
            made = self._worse(decode(sending.data, cast("type[Message]", Message)))
            delay_us = sending.delay_us + (self.drip_ms * 1000 if self.how == "drip" else 0)
            return [Sending(sending.receivers, encode(made), delay_us)]

        return Hooks(send=answer)

    def _worse(self, message: Message) -> Message:
        if isinstance(message, Blocks):
            blocks = message.blocks
            if self.how == "empty":
                return structs.replace(message, blocks=(), certificates=())
            if self.how == "false":
                return structs.replace(message, blocks=blocks[::-1])
            # A page is vouched for by the certificate of its last block, which the second block carries of the first.
            last = blocks[1].parent_certificate if len(blocks) > 1 else None
            return message if last is None else structs.replace(message, blocks=blocks[:1], certificates=(last,))
        if isinstance(message, Part) and self.how != "drip":
            return structs.replace(message, rows=b"" if self.how == "empty" else message.rows[::-1])
        if isinstance(message, Certificates) and self.how != "drip":
            return structs.replace(message, certificates=())
        return message

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> Poison | None:
        """See `Fault`."""
        if not space.traitors:
            return None
        how = HOW[random.randrange(len(HOW))]
        return cls(
            node=random.choice(space.traitors), how=how, drip_ms=random.choice((900, 2_900)), **space.span(random)
        )
