"""The seal of a chunk: of one size and these sums, and of no others."""

from __future__ import annotations

from lucid.storage.chunkseal import SIZE_BYTES, seal_of


def test_other_sizes_and_other_sums_have_other_seals() -> None:
    sums = bytes(range(64))
    seals = {seal_of(5, sums), seal_of(6, sums), seal_of(5, sums[:32]), seal_of(5, sums[32:] + sums[:32])}
    assert len(seals) == 4 and {len(seal) for seal in seals} == {32}


def test_a_size_cannot_pass_for_the_beginning_of_sums() -> None:
    sums = bytes(range(1, 33))
    assert seal_of(0, bytes(SIZE_BYTES) + sums) != seal_of(0, sums)
