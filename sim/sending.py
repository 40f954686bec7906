"""What leaves a node for others, and what may change it on its way out and in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from lucid.machines.effects import Received


class Sending(NamedTuple):
    """Bytes on their way out of a node: to whom, and how many microseconds later than usual."""

    receivers: Sequence[int]
    data: bytes
    delay_us: int = 0


SendHook = Callable[[int, Sending], Sequence[Sending]]
"""(sender, sending) -> what leaves instead."""
DeliverHook = Callable[[int, Received], Received | None]
"""(receiver, event) -> what is heard instead, None for nothing."""
