"""Segments of a chunk: how many there are, and what proves a single one (protocol section 8)."""

from __future__ import annotations

from collections.abc import Sequence

from lucid.chain.chunks import SEGMENT_BYTES, ChunkHasher
from lucid.chain.hashing import DIGEST_BYTES, chunk_tree_digest
from lucid.chain.merkle import (
    inclusion_proof,
    inclusion_proof_of_hashes,
    verify_inclusion,
)


def segment_count(size: int) -> int:
    """How many segments a chunk of `size` bytes has."""
    return -(-size // SEGMENT_BYTES)


def segment_proof(data: bytes, segment: int) -> tuple[bytes, ...]:
    """The proof that a segment of a chunk belongs to it; raises IndexError if there is no such segment."""
    return inclusion_proof(_segments(data), segment, chunk_tree_digest)


def proof_of_leaves(leaves: bytes, segment: int) -> tuple[bytes, ...]:
    """The same from the hashes of all segments (`ChunkHasher.leaves`)."""
    hashes = [leaves[at : at + DIGEST_BYTES] for at in range(0, len(leaves), DIGEST_BYTES)]
    return inclusion_proof_of_hashes(hashes, segment, chunk_tree_digest)


def verify_segments(data: bytes, first: int, leaves: bytes) -> bool:
    """Whether `data` is the segments of a chunk from `first` on, by the hashes of all of them; never raises."""
    hasher = ChunkHasher()
    hasher.update(data)
    found = hasher.leaves()
    return bool(found) and found == leaves[first * DIGEST_BYTES : first * DIGEST_BYTES + len(found)]


def verify_segment(chunk: bytes, size: int, segment: int, data: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `data` is that segment of the chunk with this id and size in bytes; never raises."""
    return verify_inclusion(data, segment, segment_count(size), proof, chunk, chunk_tree_digest)


def _segments(data: bytes) -> list[bytes]:
    return [data[first : first + SEGMENT_BYTES] for first in range(0, len(data), SEGMENT_BYTES)]
