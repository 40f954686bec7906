"""Sums of pieces: taken however the bytes come, and no other bytes have them."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from blake3 import blake3

from lucid.chain.chunks import chunk_id
from lucid.storage.piecesums import PIECE_BYTES, SummingHasher, has_sum

DATA = random.Random(3).randbytes(2 * PIECE_BYTES + 5_000)
PIECES = [DATA[:PIECE_BYTES], DATA[PIECE_BYTES : 2 * PIECE_BYTES], DATA[2 * PIECE_BYTES :]]
SUMS = b"".join(blake3(piece).digest() for piece in PIECES)


@pytest.mark.parametrize("seed", range(5))
def test_sums_and_tree_do_not_depend_on_the_parts_that_bytes_come_in(seed: int) -> None:
    chance = random.Random(seed)
    cuts = sorted(chance.randrange(len(DATA)) for _ in range(chance.choice((0, 1, 30))))
    hasher = SummingHasher()
    for first, last in pairwise([0, *cuts, PIECE_BYTES, len(DATA)] if not cuts else [0, *cuts, len(DATA)]):
        hasher.update(memoryview(DATA)[first:last])
    assert hasher.sums() == SUMS and hasher.tree.id() == chunk_id(DATA) and hasher.tree.size == len(DATA)


def test_whole_pieces_have_no_empty_one_behind_them() -> None:
    hasher = SummingHasher()
    assert hasher.sums() == b""
    hasher.update(PIECES[0])
    assert hasher.sums() == SUMS[:32]


def test_other_bytes_and_other_places_have_other_sums() -> None:
    for number, piece in enumerate(PIECES):
        assert has_sum(piece, number, SUMS)
        assert not has_sum(piece[:-1], number, SUMS) and not has_sum(piece + b"x", number, SUMS)
        assert not has_sum(bytes([piece[0] ^ 1]) + piece[1:], number, SUMS)
        assert not has_sum(piece, number + 1, SUMS)
    assert not has_sum(b"", len(PIECES), SUMS), "there is no such piece"
