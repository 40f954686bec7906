"""A store in memory does what a dict of tables does: replays and simulated disks stand on it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.ledger.memory import MemoryStore
from lucid.ledger.rowstore import Write

tables = st.sampled_from(["row", "tree"])
keys = st.binary(max_size=2)
batches = st.lists(st.lists(st.tuples(tables, keys, st.none() | st.binary(max_size=2)), max_size=6), max_size=5)


@settings(max_examples=60)
@given(batches, keys)
def test_it_is_a_dict_of_ordered_tables(written: list[list[Write]], start: bytes) -> None:
    store, model = MemoryStore(), dict[tuple[str, bytes], bytes]()
    for batch in written:
        store.write(batch)
        for table, key, value in batch:
            model.pop((table, key), None)
            if value is not None:
                model[table, key] = value
    for table in ("row", "tree", "none"):
        kept = sorted((key, value) for (name, key), value in model.items() if name == table)
        assert list(store.scan(table)) == kept
        assert list(store.scan(table, start)) == [row for row in kept if row[0] >= start]
        assert all(store.get(table, key) == value for key, value in kept)
    assert store.tables() == sorted({table for table, _ in model})
    assert store.get("none", start) is None


def test_who_scans_may_write_meanwhile() -> None:
    store = MemoryStore()
    store.write([("row", bytes([number]), b"x") for number in range(5)])
    for key, _ in store.scan("row"):
        store.write([("row", key, None)])
    assert store.tables() == [] and store.get("row", b"\0") is None
