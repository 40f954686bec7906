"""Lists of sessions' chunks in their pages, and numbers as ranges."""

from __future__ import annotations

import pytest

from lucid.machines.replicamessages import MAX_IDS
from lucid.services.chunks.storedlists import LISTING_TABLE, StoredLists, dropped, kept
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore


def test_lists_of_any_length_are_kept_paged_and_dropped(store: SqliteStore) -> None:
    lists = StoredLists(DurableStore(store))
    names = [bytes([number]) * 48 for number in (0, 7, 8, 255)]
    for name in names:
        ids = [number.to_bytes(31, "big") + name[:1] for number in range(MAX_IDS * 2 + name[0] % 3)]
        store.write(kept(name, ids))
        assert lists.ids(name) == ids and lists.known(name)
        assert lists.page(name, MAX_IDS) == ids[MAX_IDS : 2 * MAX_IDS]
        assert lists.page(name, MAX_IDS + 5) == ids[MAX_IDS + 5 : 2 * MAX_IDS]
        assert lists.page(name, len(ids)) == lists.page(name, 2**53) == []
    assert lists.sessions(b"", 9) == names
    assert lists.sessions(b"", 2) + lists.sessions(names[1], 9) == names
    store.write(dropped(names[1], MAX_IDS * 2 + 1))
    assert lists.ids(names[1]) == [] and lists.sessions(b"", 9) == [names[0], *names[2:]]


@pytest.mark.parametrize("length", [1, MAX_IDS - 1, MAX_IDS, MAX_IDS + 1])
def test_a_list_is_as_many_pages_as_it_fills_and_none_is_left_of_it(store: SqliteStore, length: int) -> None:
    session, beside = b"s" * 48, b"s" * 47 + b"t"
    ids = [number.to_bytes(32, "big") for number in range(length)]
    store.write([*kept(session, ids), *kept(beside, ids[:1])])
    lists = StoredLists(DurableStore(store))
    pages = [key for key, _ in store.scan(LISTING_TABLE) if key.startswith(session)]
    assert len(pages) == (2 if length > MAX_IDS else 1)
    assert lists.ids(session) == ids and lists.page(session, 0) == ids[:MAX_IDS]
    store.write(dropped(session, length))
    assert not lists.known(session) and lists.ids(beside) == ids[:1]


def test_sessions_are_found_past_all_pages_of_the_one_before(store: SqliteStore) -> None:
    first, second = b"s" * 48, b"s" * 47 + b"t"
    last_page = LISTING_TABLE, first + b"\xff" * 4, bytes(32)
    store.write([last_page, *kept(first, [bytes(32)]), *kept(second, [bytes(32)])])
    lists = StoredLists(DurableStore(store))
    assert lists.sessions(b"", 1) == [first] and lists.sessions(first, 1) == [second]
    assert lists.sessions(second, 1) == []


def test_the_owners_of_an_id_are_found_whatever_else_is_there(store: SqliteStore) -> None:
    session = b"s" * 16
    names = [session + bytes([owner]) * 32 for owner in (1, 2, 255)]
    for name in (*names, b"r" * 48, b"t" * 48):
        store.write(kept(name, [bytes(32)] * (MAX_IDS + 1)))
    lists = StoredLists(DurableStore(store))
    assert lists.owners(session) == names and lists.owners(b"q" * 16) == lists.owners(b"u" * 16) == []
