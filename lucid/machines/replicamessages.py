"""What data chains say to each other through their managers: who holds which chunks, and their bytes (section 8)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from lucid.chain.chunks import SEGMENT_BYTES
from lucid.chain.codec import Record, decode
from lucid.chain.fields import Key, Natural

MAX_NAMED = 256
"""Chunks that one message names (section 8, messages 13, 14, 17 and 18): 8 KiB of ids."""
PART_SEGMENTS = 15
"""Of 4 KiB (section 8, message 16): one more would not fit into 64 KiB with what stands beside them."""
PART_BYTES = PART_SEGMENTS * SEGMENT_BYTES
"""Of a chunk, in one message: less than one frame, so that a vote behind it waits for no more than that."""
MAX_BYTES = 1 << 16
"""Of one message of data chains (section 8); the largest is a part of a chunk."""
TAGS = range(13, 24)
"""The messages of data chains (section 8): 13 to 23."""
MAX_IDS = 1_024
"""Chunk ids in one message (section 8, message 21): 32 KiB, so that a list of 150,000 chunks takes 147 of them."""
SESSION_BYTES = 48
"""16 of the id and 32 of the owner (section 8, message 19)."""
MANIFEST_PART_BYTES = 60 << 10
"""Of a manifest, in one message (section 8, message 23): what `MAX_BYTES` leaves beside the fields."""

StoreName = Annotated[bytes, Meta(min_length=16, max_length=16)]
"""A store's random name (section 8, Copies): with 16 bytes no two are ever alike."""
SessionName = Annotated[bytes, Meta(min_length=SESSION_BYTES, max_length=SESSION_BYTES)]
"""A session: its id and then its owner."""
Named = Annotated[tuple[Key, ...], Meta(max_length=MAX_NAMED)]


class ChunkOffer(Record, tag=13):
    """The sender holds these chunks. The receiver says which it holds, and fetches what it should hold."""

    chunks: Named


class ChunkHolding(Record, tag=14):
    """The sender holds the chunks `has` durably in the store of this name, and not those of `lacks`. A store that is
    begun anew has another name: what was said of the one before counts no more."""

    store: StoreName
    has: Named
    lacks: Named


class ChunkRequest(Record, tag=15):
    """Ask for the bytes of a chunk from that segment on."""

    request: Natural
    chunk: Key
    segment: Natural


class ChunkPart(Record, tag=16):
    """As the answer: the chunk's size (0: it is not held), and up to 15 segments from `segment` on."""

    request: Natural
    chunk: Key
    size: Natural
    segment: Natural
    data: Annotated[bytes, Meta(max_length=PART_BYTES)]


class ChunkNeed(Record, tag=17):
    """The sender, in the store of this name, `needs` chunks since sessions there refer to them, `keeps` others for
    nodes that need them, and let go of those in `frees`; of `none` it knows nothing. `request` is that of the question,
    0 where nobody asked."""

    request: Natural
    store: StoreName
    needs: Named = ()
    keeps: Named = ()
    frees: Named = ()
    none: Named = ()


class ChunkQuestion(Record, tag=18):
    """Ask who needs these chunks. The receiver says of each how it stands."""

    request: Natural
    chunks: Named


class SessionOffer(Record, tag=19):
    """The sender has the lists of the chunks of these anchored sessions."""

    sessions: Annotated[tuple[SessionName, ...], Meta(max_length=MAX_NAMED)]


class ListRequest(Record, tag=20):
    """Ask for the ids of a session's chunks from the one of number `first` on."""

    request: Natural
    session: SessionName
    first: Natural


class ListPart(Record, tag=21):
    """As the answer: up to 1,024 ids from `first` on; none where the list is not here or ends before."""

    request: Natural
    session: SessionName
    first: Natural
    ids: Annotated[tuple[Key, ...], Meta(max_length=MAX_IDS)]


class ManifestRequest(Record, tag=22):
    """Ask for the bytes of a session's manifest from that place on."""

    request: Natural
    session: SessionName
    first: Natural


class ManifestPart(Record, tag=23):
    """As the answer: the size of the canonical manifest (0: it is not here), and its bytes from `first` on."""

    request: Natural
    session: SessionName
    first: Natural
    size: Natural
    data: Annotated[bytes, Meta(max_length=MANIFEST_PART_BYTES)]


ReplicaMessage = (
    ChunkOffer
    | ChunkHolding
    | ChunkRequest
    | ChunkPart
    | ChunkNeed
    | ChunkQuestion
    | SessionOffer
    | ListRequest
    | ListPart
    | ManifestRequest
    | ManifestPart
)


def is_replica_message(data: bytes) -> bool:
    """Whether a peer's message is for the data chain, by its tag."""
    return len(data) > 1 and data[0] & 0xF0 == 0x90 and data[1] in TAGS


def decode_replica(data: bytes) -> ReplicaMessage:
    """Decode one; raises `Refusal`."""
    message: ReplicaMessage = decode(data, ReplicaMessage)  # type: ignore[arg-type]
    return message
