"""What the machine of replication is told, and what it alone wants done (protocol section 8)."""

from __future__ import annotations

from enum import IntEnum

from lucid.chain.codec import Record
from lucid.machines.effects.events import Started, TimerFired
from lucid.machines.replicamessages import ChunkHolding, ChunkOffer


class FetchOutcome(IntEnum):
    """What the bytes of a chunk that came from another node turned out to be (section 8, Copies)."""

    KEPT = 0
    """They are the chunk's, and durable where they are stored."""
    FALSE = 1
    """They are not the chunk's."""
    FAILED = 2
    """They cannot be stored here."""


class MembersKnown(Record, tag=70):
    """Who there is, every few seconds: registered nodes in order of their keys, those of them in reach, how many
    copies of each chunk the chain wants, and what each of these nodes weighs (nothing: each 1)."""

    members: tuple[bytes, ...]
    connected: tuple[bytes, ...]
    factor: int
    weights: tuple[int, ...] = ()


class ChunkStored(Record, tag=71):
    """A chunk is verified and durable here."""

    chunk: bytes


class ReplicaSaid(Record, tag=72):
    """What a peer's data chain said of chunks."""

    peer: bytes
    message: ChunkOffer | ChunkHolding


class PartCame(Record, tag=73):
    """A peer's answer to a `ChunkRequest`: `length` bytes, from `segment` on, of a chunk of `size` bytes (0: it is not
    held). `data` is for the driver alone: a machine passes it on with `TakePart`."""

    peer: bytes
    request: int
    chunk: bytes
    size: int
    segment: int
    length: int
    data: bytes


class CopiesWished(Record, tag=74):
    """A peer needs these chunks, and they are not here."""

    peer: bytes
    chunks: tuple[bytes, ...]


class ChunkWanted(Record, tag=75):
    """Somebody at this node waits for a chunk that others may have; answered with `Provided` under `request`. `first`
    are asked before all others; `keep`: it is stored here too."""

    request: int
    chunk: bytes
    first: tuple[bytes, ...]
    keep: bool


class FetchEnded(Record, tag=76):
    """The driver's answer to `EndFetch`, or that a fetch cannot go on."""

    fetch: int
    outcome: FetchOutcome


class Undelivered(Record, tag=77):
    """What was sent to a peer last did not leave."""

    peer: bytes


ReplicationEvent = (
    Started
    | TimerFired
    | MembersKnown
    | ChunkStored
    | ReplicaSaid
    | PartCame
    | CopiesWished
    | ChunkWanted
    | FetchEnded
    | Undelivered
)


class BeginFetch(Record, tag=80):
    """Make room for a chunk whose bytes come from another node, under a number: to be stored with `keep`, else for who
    reads it."""

    fetch: int
    chunk: bytes
    keep: bool


class TakePart(Record, tag=81):
    """The next bytes of a fetch."""

    fetch: int
    data: bytes


class EndFetch(Record, tag=82):
    """All bytes of a fetch are there: verify them, make them durable, and say so with `FetchEnded`. Not `whole`: throw
    away what came."""

    fetch: int
    whole: bool


class Provided(Record, tag=83):
    """Answer who waits for a chunk: whether it is there, verified."""

    request: int
    held: bool


REPLICATING = (BeginFetch, TakePart, EndFetch, Provided)
"""Effects of the machine of replication that no other machine has."""
