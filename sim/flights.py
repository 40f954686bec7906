"""Messages on their way from one node to others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lucid.machines.effects import Received
from sim.clock import TAG_BITS, Recurring

RECEIVERS = 1 << TAG_BITS
"""More nodes than that no tag of an arrival tells apart."""


class Flight(Recurring):
    """One message on its way; the tag of each arrival is the receiver's index. `load` is its bits, times a million."""

    __slots__ = ("event", "load", "number", "sender", "sent_us")

    def __init__(
        self,
        happen: Callable[[Any], None],
        event: Received,
        sender: int,
        number: int,
        sent_us: int,
        load: int,
        arrivals: list[int],
    ) -> None:
        super().__init__(happen, arrivals)
        self.event = event
        self.sender = sender
        self.number = number
        self.sent_us = sent_us
        self.load = load


class Volley(Flight):
    """Messages of the same bytes, each with one receiver and a number of its own, sent one after the other.

    The tag of an arrival is the message's place among `receivers`; the first has the number `first`.
    """

    __slots__ = ("first", "receivers")

    def __init__(
        self,
        happen: Callable[[Any], None],
        event: Received,
        sender: int,
        first: int,
        sent_us: int,
        load: int,
        arrivals: list[int],
        ids: list[int],
        receivers: Sequence[int],
    ) -> None:
        super().__init__(happen, event, sender, first, sent_us, load, arrivals)
        self.ids = ids
        self.receivers = receivers
        self.first = first
