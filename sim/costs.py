"""What a machine takes for what a node does around its protocol, as measured on that machine: samples to draw from.

A node's services take time that no signature or rule accounts for: an event goes from one process to the other over a
WebSocket, a message is sealed, sent, opened and waits for its turn, a write goes to a thread and to the disk. With
`Costs` the simulator draws each of these from what a machine was seen to take; they stand in place of the modeled core
and disk. Without, as always but in a calibration, events go between the machines of a node at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

LEAST = 10
"""A kind with fewer samples is drawn from those of all kinds."""


class Costs(Struct, frozen=True, kw_only=True):
    """Samples, in microseconds.

    write: from handing a write to a store until it is durable, with no other write on its way. tells, by the name of
    the event: from when a machine of a node took in hand what it tells the other of, until that takes it in hand, the
    write before it aside. messages, by the message's tag: the same from one node's manager to another's, the delay of
    the link aside.
    """

    write: tuple[int, ...]
    tells: dict[str, tuple[int, ...]]
    messages: dict[int, tuple[int, ...]]

    def of_tell(self, event: str) -> Sequence[int]:
        """The samples of an event; of all events, if it has few."""
        return _enough(self.tells, event)

    def of_message(self, tag: int) -> Sequence[int]:
        """The samples of a message; of all messages, if it has few."""
        return _enough(self.messages, tag)


def _enough(by_kind: dict[Any, tuple[int, ...]], kind: Any) -> Sequence[int]:
    samples = by_kind.get(kind, ())
    if len(samples) >= LEAST:
        return samples
    return [each for name in sorted(by_kind) for each in by_kind[name]] or [0]
