"""Lists of sessions' chunks in their pages, and numbers as ranges."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid.chain.transactions import MAX_RANGES
from lucid.machines.replicamessages import MAX_IDS
from lucid.services.chunks.listings import LISTING_TABLE, Listings, dropped, kept, ranges_of
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore


def test_lists_of_any_length_are_kept_paged_and_dropped(store: SqliteStore) -> None:
    listings = Listings(DurableStore(store))
    names = [bytes([number]) * 48 for number in (0, 7, 8, 255)]
    for name in names:
        ids = [number.to_bytes(31, "big") + name[:1] for number in range(MAX_IDS * 2 + name[0] % 3)]
        store.write(kept(name, ids))
        assert listings.ids(name) == ids and listings.known(name)
        assert listings.page(name, MAX_IDS) == ids[MAX_IDS : 2 * MAX_IDS]
        assert listings.page(name, MAX_IDS + 5) == ids[MAX_IDS + 5 : 2 * MAX_IDS]
        assert listings.page(name, len(ids)) == listings.page(name, 2**53) == []
    assert listings.sessions(b"", 9) == names
    assert listings.sessions(b"", 2) + listings.sessions(names[1], 9) == names
    store.write(dropped(names[1], MAX_IDS * 2 + 1))
    assert listings.ids(names[1]) == [] and listings.sessions(b"", 9) == [names[0], *names[2:]]


def test_ranges_are_those_of_the_numbers_as_far_as_a_transaction_has_room() -> None:
    assert ranges_of([]) == () and ranges_of([0, 1, 2, 5, 7, 8]) == ((0, 3), (5, 1), (7, 2))
    assert ranges_of(range(0, 20_000, 2)) == tuple((number, 1) for number in range(0, 8_192, 2))


@pytest.mark.parametrize("length", [1, MAX_IDS - 1, MAX_IDS, MAX_IDS + 1])
def test_a_list_is_as_many_pages_as_it_fills_and_none_is_left_of_it(store: SqliteStore, length: int) -> None:
    session, beside = b"s" * 48, b"s" * 47 + b"t"
    ids = [number.to_bytes(32, "big") for number in range(length)]
    store.write([*kept(session, ids), *kept(beside, ids[:1])])
    listings = Listings(DurableStore(store))
    pages = [key for key, _ in store.scan(LISTING_TABLE) if key.startswith(session)]
    assert len(pages) == (2 if length > MAX_IDS else 1)
    assert listings.ids(session) == ids and listings.page(session, 0) == ids[:MAX_IDS]
    store.write(dropped(session, length))
    assert not listings.known(session) and listings.ids(beside) == ids[:1]


def test_sessions_are_found_past_all_pages_of_the_one_before(store: SqliteStore) -> None:
    first, second = b"s" * 48, b"s" * 47 + b"t"
    last_page = LISTING_TABLE, first + b"\xff" * 4, bytes(32)
    store.write([last_page, *kept(first, [bytes(32)]), *kept(second, [bytes(32)])])
    listings = Listings(DurableStore(store))
    assert listings.sessions(b"", 1) == [first] and listings.sessions(first, 1) == [second]
    assert listings.sessions(second, 1) == []


@given(st.sets(st.integers(0, 60)))
def test_ranges_are_the_numbers_ascending_and_never_touch(numbers: set[int]) -> None:
    ranges = ranges_of(sorted(numbers))
    assert [number for first, count in ranges for number in range(first, first + count)] == sorted(numbers)
    assert all(first + count < after for (first, count), (after, _) in pairwise(ranges))
    assert all(count > 0 for _, count in ranges) and len(ranges) <= MAX_RANGES
