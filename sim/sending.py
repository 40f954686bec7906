"""What leaves a node for others, and what may change it on its way out and in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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


class Scattering:
    """A hook of what leaves whose answer is a message by itself for each receiver, later than usual or not at all.

    Nearly all that a lossy network carries is of this kind, so where no other hook is on, it goes as a whole.
    """

    def __call__(self, sender: int, sending: Sending) -> Sequence[Sending]:
        """See `SendHook`."""
        delays_us = self.delays_us(sender, sending.receivers, sending.data)
        return [Sending((each,), sending.data, sending.delay_us + delay_us) for each, delay_us in delays_us.items()]

    def delays_us(self, sender: int, receivers: Sequence[int], data: bytes) -> Mapping[int, int]:
        """How much later the message comes to each receiver, in order; those that it does not leave for are not in."""
        raise NotImplementedError
