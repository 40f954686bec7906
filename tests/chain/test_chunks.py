"""Ids of chunks and roots of sessions, and the hashes of segments: each is verified and proven by them alone."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lucid.chain.chunks import (
    SEGMENT_BYTES,
    ChunkHasher,
    chunk_id,
    proof_of_leaves,
    segment_count,
    segment_proof,
    session_root,
    verify_segment,
    verify_segments,
)
from lucid.chain.hashing import chunk_tree_digest, session_tree_digest
from lucid.chain.merkle import root


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


@given(st.binary(max_size=3 * SEGMENT_BYTES), st.lists(st.integers(0, 3 * SEGMENT_BYTES), max_size=6))
def test_an_id_does_not_depend_on_the_parts_that_bytes_come_in(data: bytes, cuts: list[int]) -> None:
    hasher = ChunkHasher()
    places = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
    for first, last in pairwise(places):
        hasher.update(data[first:last])
    segments = [data[first : first + SEGMENT_BYTES] for first in range(0, len(data), SEGMENT_BYTES)]
    assert hasher.id() == chunk_id(data) == root(segments, chunk_tree_digest)
    assert hasher.size == len(data)
    for segment, part in enumerate(segments):
        assert verify_segment(chunk_id(data), len(data), segment, part, segment_proof(data, segment))


def test_a_session_s_root_is_over_its_chunk_ids() -> None:
    ids = [chunk_id(bytes([number])) for number in range(5)]
    assert session_root(ids) == root(ids, session_tree_digest) != session_root(ids[::-1])
