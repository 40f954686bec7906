"""What of a session belongs here, and what of that is here, for one node of three."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lucid.chain.transactions import MAX_RANGES
from lucid.services.chunks.belonging import Belonging, belonging, ranges_of

ME, YOU, THEM = b"m" * 32, b"y" * 32, b"t" * 32
A, B, C, D = (bytes([number]) * 32 for number in range(4))


class Places:
    """Chunks with the nodes where they belong; `here` are at this node."""

    key = ME
    rules = 3
    connected: frozenset[bytes] = frozenset()

    def __init__(self, wanted: dict[bytes, tuple[bytes, ...]], here: set[bytes]) -> None:
        self._wanted = wanted
        self._here = here

    def wanted(self, chunk: bytes) -> tuple[bytes, ...]:
        """See `ChunkPlaces`."""
        return self._wanted[chunk]

    def sound(self, chunk: bytes) -> bool:
        """See `ChunkPlaces`."""
        return chunk in self._here


def test_what_is_here_counts_wherever_it_belongs_and_what_lacks_only_where_it_does() -> None:
    places = Places({A: (ME, YOU), B: (YOU, THEM), C: (ME,), D: (YOU,)}, {A, B})
    assert belonging(places, [A, B, C, D]) == Belonging(4, ((0, 2),), 1, frozenset((YOU, THEM)))


def test_of_no_chunks_there_is_nothing() -> None:
    assert belonging(Places({}, set()), []) == Belonging(0, (), 0, frozenset())


@given(st.lists(st.tuples(st.booleans(), st.sets(st.sampled_from([ME, YOU, THEM]))), max_size=40))
def test_each_chunk_is_held_lacking_or_not_of_here(chunks: list[tuple[bool, set[bytes]]]) -> None:
    ids = [number.to_bytes(32, "big") for number in range(len(chunks))]
    wanted = {each: tuple(nodes) for each, (_, nodes) in zip(ids, chunks, strict=True)}
    found = belonging(Places(wanted, {each for each, (here, _) in zip(ids, chunks, strict=True) if here}), ids)
    held = [number for first, count in found.held for number in range(first, first + count)]
    assert held == [number for number, (here, _) in enumerate(chunks) if here]
    assert found.lacking == sum(not here and ME in nodes for here, nodes in chunks)
    assert found.others == {node for _, nodes in chunks for node in nodes} - {ME}


def test_ranges_are_those_of_the_numbers_as_far_as_a_transaction_has_room() -> None:
    assert ranges_of([]) == () and ranges_of([0, 1, 2, 5, 7, 8]) == ((0, 3), (5, 1), (7, 2))
    assert ranges_of(range(0, 20_000, 2)) == tuple((number, 1) for number in range(0, 8_192, 2))


@given(st.sets(st.integers(0, 60)))
def test_ranges_are_the_numbers_ascending_and_never_touch(numbers: set[int]) -> None:
    ranges = ranges_of(sorted(numbers))
    assert [number for first, count in ranges for number in range(first, first + count)] == sorted(numbers)
    assert all(first + count < after for (first, count), (after, _) in pairwise(ranges))
    assert all(count > 0 for _, count in ranges) and len(ranges) <= MAX_RANGES
