"""Hashes that are kept in memory: of so many chunks, those longest that are asked for."""

from __future__ import annotations

from lucid.storage.hashcache import ENTRY_BYTES, HashCache


def test_hashes_are_kept_of_so_many_chunks() -> None:
    cache = HashCache(10 * (ENTRY_BYTES + 32))
    for number in range(20):
        cache.keep(bytes([number]), 4_096, bytes(32))
        cache.keep(bytes([number]), 4_096, bytes(32))
        assert cache.get(b"\0") == (4_096, bytes(32)), "it is asked for again and again"
    assert [number for number in range(20) if cache.get(bytes([number]))] == [0, *range(11, 20)]
    cache.keep(b"large", 1, bytes(11 * (ENTRY_BYTES + 32)))
    assert cache.get(b"large") is None and cache.get(b"\0") is None


def test_what_takes_no_room_but_its_own_goes_too() -> None:
    cache = HashCache(10 * ENTRY_BYTES)
    for number in range(1_000):
        cache.keep(number.to_bytes(2, "big"), 1, b"")
    assert sum(cache.get(number.to_bytes(2, "big")) is not None for number in range(1_000)) == 10
