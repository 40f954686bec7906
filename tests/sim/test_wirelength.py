"""The length of a message whose chunk is a size and no bytes."""

from __future__ import annotations

from lucid.chain.codec import encode
from lucid.machines.replicamessages import PART_BYTES, ChunkOffer, ChunkPart
from sim.wirelength import part_bytes, wire_length

CHUNK = bytes(range(32))


def test_the_bytes_of_a_chunk_count_and_are_not_there() -> None:
    part = ChunkPart(1, CHUNK, 2 * PART_BYTES + 7, 0, b"")
    assert part_bytes(part) == PART_BYTES and part_bytes(ChunkPart(1, CHUNK, 2 * PART_BYTES + 7, 30, b"")) == 7
    assert part_bytes(ChunkPart(1, CHUNK, 0, 9, b"")) == 0
    assert wire_length(encode(part)) == len(encode(part)) + PART_BYTES
    offer = encode(ChunkOffer((CHUNK,)))
    assert wire_length(offer) == len(offer) and wire_length(b"\x91\x10") == 2
