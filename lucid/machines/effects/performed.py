"""What a machine wants done, in order: a driver completes a `Store` before it performs what follows it."""

from __future__ import annotations

from lucid.chain.codec import Record
from lucid.chain.errors import Code
from lucid.chain.transactions import SessionAnchor
from lucid.machines.effects.enginelink import ToEngine, ToManager
from lucid.machines.effects.facts import Fact
from lucid.machines.effects.replicating import BeginFetch, EndFetch, Provided, TakePart


class Send(Record, tag=50):
    """Send bytes to one peer."""

    peer: bytes
    data: bytes


class Broadcast(Record, tag=51):
    """Send bytes to every peer."""

    data: bytes


class Store(Record, tag=52):
    """Make (table, key, value) writes durable as one; None deletes."""

    writes: tuple[tuple[str, bytes, bytes | None], ...]


class SetTimer(Record, tag=53):
    """Fire `timer` at `at_ms` of the machine's clock; setting it again replaces it."""

    timer: str
    at_ms: int


class CancelTimer(Record, tag=54):
    """Forget a timer, set or not."""

    timer: str


class Forward(Record, tag=55):
    """Hand an event to the node's other machine."""

    event: ToEngine | ToManager


class Respond(Record, tag=56):
    """Answer a client: the transaction's id, or the code it was refused with."""

    request: int
    transaction: bytes
    refusal: Code | None


class Submit(Record, tag=58):
    """Hand an anchor to the node's engine. `again` says that it was before: it may be on the chain already."""

    anchor: SessionAnchor
    again: bool


class Observe(Record, tag=57):
    """A fact, for whoever watches; performing it may never change what the machine does."""

    fact: Fact


Effect = (
    Send
    | Broadcast
    | Store
    | SetTimer
    | CancelTimer
    | Forward
    | Respond
    | Submit
    | BeginFetch
    | TakePart
    | EndFetch
    | Provided
    | Observe
)
Effects = list[Effect]
