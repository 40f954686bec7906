"""A traitor that answers with bytes that are not the chunk's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from msgspec import structs

from lucid.chain.codec import encode
from lucid.machines.replicamessages import ChunkPart, decode_replica
from sim.faulthooks import Hooks
from sim.faults.fault import ByzantineFault, Lane, tag
from sim.faultspace import FaultSpace
from sim.sending import Sending

if TYPE_CHECKING:
    from random import Random

    from sim.world import World

FALSE = b"\xff"
"""The mark of bytes that are not the chunk's."""


class FalseParts(ByzantineFault, tag="false_parts"):
    """`node` answers whoever asks for a chunk's bytes with others of the same length."""

    lane: ClassVar[Lane] = "chunks"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        liars = world.bodies(self.node)

        def send(sender: int, sending: Sending) -> Sequence[Sending]:
            if sender not in liars or sending.data[1] != tag(ChunkPart):
                return (sending,)
            part = decode_replica(sending.data)
            assert isinstance(part, ChunkPart), "by its tag"
            return (sending._replace(data=encode(structs.replace(part, data=FALSE))),)

        return Hooks(send=send)

    @classmethod
    def draw(cls, random: Random, space: FaultSpace) -> FalseParts | None:
        """See `Fault`."""
        return cls(node=random.choice(space.traitors), **space.span(random)) if space.traitors else None
