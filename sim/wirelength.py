"""The length of a message on the wire, where a chunk is a size and its bytes are not there."""

from __future__ import annotations

from lucid.chain.chunks import SEGMENT_BYTES
from lucid.chain.errors import Refusal
from lucid.machines.replicamessages import PART_BYTES, ChunkPart, decode_replica


def part_bytes(part: ChunkPart) -> int:
    """The bytes of a part that is modeled by its chunk's size."""
    return max(0, min(PART_BYTES, part.size - part.segment * SEGMENT_BYTES))


def wire_length(data: bytes) -> int:
    """The bytes of a message on the wire: those of a chunk are not there, and count."""
    if len(data) > 1 and data[1] == ChunkPart.__struct_config__.tag:
        try:
            message = decode_replica(data)
        except Refusal:
            return len(data)
        return len(data) + (part_bytes(message) if isinstance(message, ChunkPart) else 0)
    return len(data)
