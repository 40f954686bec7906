"""Ids of chunks and roots of sessions."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lucid.chain.chunks import SEGMENT_BYTES, ChunkHasher, chunk_id, session_root
from lucid.chain.hashing import chunk_tree_digest, session_tree_digest
from lucid.chain.merkle import root


@given(st.binary(max_size=3 * SEGMENT_BYTES), st.lists(st.integers(0, 3 * SEGMENT_BYTES), max_size=6))
def test_an_id_does_not_depend_on_the_parts_that_bytes_come_in(data: bytes, cuts: list[int]) -> None:
    hasher = ChunkHasher()
    places = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
    for first, last in pairwise(places):
        hasher.update(data[first:last])
    segments = [data[first : first + SEGMENT_BYTES] for first in range(0, len(data), SEGMENT_BYTES)]
    assert hasher.id() == chunk_id(data) == root(segments, chunk_tree_digest)
    assert hasher.size == len(data)


def test_a_session_s_root_is_over_its_chunk_ids() -> None:
    ids = [chunk_id(bytes([number])) for number in range(5)]
    assert session_root(ids) == root(ids, session_tree_digest) != session_root(ids[::-1])
