"""What is remembered of verified chunks: their hashes, and the room that their bytes may take."""

from __future__ import annotations

from lucid.chain.chunks import chunk_id
from lucid.services.chunks.remembered import HELD_BYTES, Remembered
from lucid.storage.piecesums import SummingHasher


def test_a_verified_chunk_is_remembered_by_its_tree_and_its_sums() -> None:
    remembered, hasher = Remembered(), SummingHasher()
    hasher.update(b"bytes")
    chunk = chunk_id(b"bytes")
    assert hasher.tree.id() == chunk
    remembered.keep(chunk, hasher)
    assert remembered.trees.get(chunk) == (5, hasher.tree.leaves())
    assert remembered.sums.get(chunk) == (5, hasher.sums()) and remembered.sealed.get(chunk) is None


def test_there_is_room_until_it_is_taken_and_again_once_it_is_given_back() -> None:
    remembered = Remembered()
    assert remembered.take(HELD_BYTES) and not remembered.take(1) and remembered.take(0)
    remembered.give(2)
    assert not remembered.take(3) and remembered.take(2)
