"""Segments of a chunk: each is verified and proven by their hashes alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lucid.chain.chunks import SEGMENT_BYTES, ChunkHasher, chunk_id
from lucid.chain.segments import proof_of_leaves, segment_count, segment_proof, verify_segment, verify_segments


@given(size=st.integers(1, 40 * SEGMENT_BYTES), data=st.data())
def test_segments_are_verified_and_proven_by_the_hashes_of_all(size: int, data: st.DataObject) -> None:
    body = bytes(size - size // 2) + bytes([1]) * (size // 2)
    hasher = ChunkHasher()
    hasher.update(body)
    leaves, count = hasher.leaves(), segment_count(size)
    first = data.draw(st.integers(0, count - 1))
    last = data.draw(st.integers(first + 1, count))
    part = body[first * SEGMENT_BYTES : last * SEGMENT_BYTES]
    assert proof_of_leaves(leaves, first) == segment_proof(body, first)
    assert verify_segments(part, first, leaves)
    at = data.draw(st.integers(0, len(part) - 1))
    assert not verify_segments(part[:at] + bytes([part[at] ^ 4]) + part[at + 1 :], first, leaves)
    assert not verify_segments(part, count, leaves) and not verify_segments(b"", first, leaves)


@given(st.binary(min_size=1, max_size=3 * SEGMENT_BYTES))
def test_each_segment_is_proven_to_be_of_its_chunk(data: bytes) -> None:
    count = segment_count(len(data))
    for segment in range(count):
        part = data[segment * SEGMENT_BYTES :][:SEGMENT_BYTES]
        proof = segment_proof(data, segment)
        assert verify_segment(chunk_id(data), len(data), segment, part, proof)
        assert not verify_segment(chunk_id(data), len(data), segment, part + b"x", proof)
        assert not verify_segment(chunk_id(data), len(data), count, part, proof)
