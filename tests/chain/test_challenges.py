"""What a storage challenge draws: only what is held, the same for everyone, and shown by paths that bear no change."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from lucid.chain.challenges import (
    ANSWERS,
    DRAWN_SESSIONS,
    LOT_BITS,
    MAX_SEGMENTS,
    Draw,
    SegmentAnswer,
    challenge_seed,
    draws,
    is_drawn,
    one_in,
)
from lucid.chain.chunks import SEGMENT_BYTES, chunk_id, session_root
from lucid.chain.codec import decode, encode
from lucid.chain.hashing import session_tree_digest
from lucid.chain.merkle import inclusion_proof
from lucid.chain.segments import segment_count, segment_proof
from tests.strategies import values

seeds = st.binary(min_size=32, max_size=32)
lots = st.integers(0, 2**LOT_BITS - 1)
CHUNKS = [Random(number).randbytes(size) for number, size in enumerate((5_000, 3 * SEGMENT_BYTES + 1, 1_024))]
IDS = [chunk_id(data) for data in CHUNKS]
ROOT = session_root(IDS)


@st.composite
def held_ranges(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    """Ranges of chunks that ascend apart, as the chain takes them."""
    found, first = [], 0
    for gap, count in draw(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 50)), min_size=1, max_size=6)):
        found.append((first + gap, count))
        first += gap + count
    return tuple(found)


def answer(place: int, segment: int) -> SegmentAnswer:
    """What who holds these chunks answers."""
    data = CHUNKS[place]
    return SegmentAnswer(
        place, IDS[place], inclusion_proof(IDS, place, session_tree_digest), segment_count(len(data)), segment,
        data[segment * SEGMENT_BYTES :][:SEGMENT_BYTES], segment_proof(data, segment),
    )  # fmt: skip


HONEST = [answer(place, segment) for place in range(3) for segment in range(segment_count(len(CHUNKS[place])))]


# -- which segment a lot is --------------------------------------------------------------------------------------------


@given(lots, st.integers(1, MAX_SEGMENTS))
def test_a_lot_is_a_segment_of_whatever_size_is_said(lot: int, segments: int) -> None:
    assert 0 <= Draw(0, lot).segment(segments) < segments


@pytest.mark.parametrize("segments", [1, 2, 3, 5, 8, 13, 33])
def test_each_segment_is_drawn_as_often_as_its_depth_says(segments: int) -> None:
    """RFC 9162's tree: a leaf at depth d is where one in 2**d of the ways down ends."""
    bits = (segments - 1).bit_length()
    found = Counter(Draw(0, way << LOT_BITS - bits).segment(segments) for way in range(1 << bits))
    assert found == {
        segment: 1 << bits - len(segment_proof(bytes(segments * SEGMENT_BYTES), segment)) for segment in range(segments)
    }


def test_the_first_bit_is_the_first_side() -> None:
    assert [Draw(0, bit << LOT_BITS - 1).segment(9) for bit in (0, 1)] == [0, 8]


# -- what is drawn -----------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(seeds, held_ranges())
def test_only_what_is_held_is_drawn_and_twice_the_same(seed: bytes, ranges: tuple[tuple[int, int], ...]) -> None:
    held = {place for first, count in ranges for place in range(first, first + count)}
    found = draws(seed, ranges)
    assert len(found) == ANSWERS and found == draws(seed, ranges)
    assert all(each.place in held and 0 <= each.lot < 2**LOT_BITS for each in found)
    assert found[0].lot < 2 ** (LOT_BITS - 1), "the first goes where the larger part is"


@settings(max_examples=40)
@given(seeds, held_ranges())
def test_how_the_held_chunks_are_cut_into_ranges_changes_nothing_of_which_is_drawn(
    seed: bytes, ranges: tuple[tuple[int, int], ...]
) -> None:
    single = tuple((place, 1) for first, count in ranges for place in range(first, first + count))
    assert draws(seed, single) == draws(seed, ranges)


def test_every_held_chunk_is_drawn_by_some_epoch() -> None:
    ranges = ((2, 3), (9, 1))
    found = {each.place for number in range(60) for each in draws(number.to_bytes(32, "big"), ranges)}
    assert found == {2, 3, 4, 9}


def test_a_seed_is_another_for_each_of_its_parts() -> None:
    parts = (bytes(32), bytes(32), bytes(16), bytes(32))
    seed = challenge_seed(*parts)
    for number, part in enumerate(parts):
        changed: Any = [*parts]
        changed[number] = part[:-1] + b"\x01"
        assert challenge_seed(*changed) != seed


@given(st.integers(0, 10**7))
def test_no_node_proves_more_sessions_in_the_mean_than_are_drawn(sessions: int) -> None:
    one = one_in(sessions)
    assert sessions <= one * DRAWN_SESSIONS and (one == 1 or sessions > (one - 1) * DRAWN_SESSIONS)


def test_of_a_few_sessions_all_are_drawn_and_of_many_one_in_so_many() -> None:
    found = [challenge_seed(number.to_bytes(32, "big"), b"", b"", b"") for number in range(4_000)]
    assert all(is_drawn(seed, one_in(DRAWN_SESSIONS)) for seed in found)
    drawn = sum(is_drawn(seed, one_in(10 * DRAWN_SESSIONS)) for seed in found)
    assert abs(drawn - 400) < 5 * 400**0.5


# -- what an answer shows ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("each", HONEST, ids=lambda each: f"{each.place}-{each.segment}")
def test_what_is_held_leads_to_the_root_and_nothing_near_it_does(each: SegmentAnswer) -> None:
    assert each.in_bounds and each.leads_to(ROOT, 3)
    assert not each.leads_to(ROOT[::-1], 3)
    others: list[dict[str, Any]] = [
        {"place": (each.place + 1) % 3},
        {"place": -1},
        {"chunk": bytes(32)},
        {"chunk_path": (*each.chunk_path, bytes(32))},
        {"chunk_path": each.chunk_path[:-1]},
        {"segment": each.segment + 1},
        {"data": each.data[:-1]},
        {"data": each.data[:-1] + bytes([each.data[-1] ^ 1])},
        {"path": (*each.path, bytes(32))},
    ]
    for change in others:
        assert not structs.replace(each, **change).leads_to(ROOT, 3), change


@pytest.mark.parametrize(
    ("segment", "segments", "size", "fits"),
    [
        (0, 1, 1, True),
        (0, 1, 0, False),
        (0, 2, SEGMENT_BYTES, True),
        (0, 2, SEGMENT_BYTES - 1, False),
        (1, 2, 1, True),
        (2, 2, 1, False),
        (-1, 2, SEGMENT_BYTES, False),
        (MAX_SEGMENTS - 1, MAX_SEGMENTS, SEGMENT_BYTES, True),
        (0, MAX_SEGMENTS + 1, SEGMENT_BYTES, False),
        (0, 0, 1, False),
    ],
)
def test_only_the_last_segment_may_be_short(segment: int, segments: int, size: int, fits: bool) -> None:
    assert SegmentAnswer(0, bytes(32), (), segments, segment, bytes(size), ()).in_bounds is fits


@settings(max_examples=40)
@given(values(SegmentAnswer))
def test_an_answer_has_one_encoding_and_no_bytes_of_any_kind_end_its_check(each: SegmentAnswer) -> None:
    assert decode(encode(each), SegmentAnswer) == each
    assert not each.leads_to(bytes(32), 3)
