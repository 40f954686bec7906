"""A byte that changed in a row is found, in whatever table; a store of an older release, and one that such a release
goes on with, are read and written as before."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid.storage.errors import StoreDamaged
from lucid.storage.interface import SCHEMA_VERSION
from lucid.storage.rowsums import changed_keys, row_sum, verified
from lucid.storage.sqlite import SqliteStore
from tests.storage.test_interface import everything

VALUE = b"the value of a row, as it was written"


def older(path: Path, rows: dict[bytes, bytes]) -> None:
    """A store as a release without checksums left it."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute(
            "CREATE TABLE entry (tab TEXT, key BLOB, value BLOB NOT NULL, PRIMARY KEY (tab, key)) WITHOUT ROWID, STRICT"
        )
        database.executemany("REPLACE INTO entry VALUES ('row', ?, ?)", rows.items())
        database.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        database.commit()


def spoil(path: Path, before: bytes, after: bytes) -> None:
    """Change bytes in the file, as a card does."""
    data = path.read_bytes()
    assert data.count(before) == 1
    path.write_bytes(data.replace(before, after))


@given(st.text(max_size=9), st.binary(max_size=40), st.binary(max_size=40), st.data())
def test_any_byte_of_a_row_counts(table: str, key: bytes, value: bytes, data: st.DataObject) -> None:
    found = row_sum(table, key, value)
    assert -(1 << 31) <= found < 1 << 31
    assert verified(table, [(key, value, found), (key, value, None)]) == [(key, value)] * 2
    whole = bytearray(key + value)
    if whole:
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
        other = bytes(whole[: len(key)]), bytes(whole[len(key) :])
        assert list(changed_keys(table, [(*other, found)])) == [other[0]]
    if table:
        assert list(changed_keys(table[:-1], [(key, value, found)])) == [key]


@pytest.mark.parametrize("table", ["block", "vote", "identity"])
def test_a_byte_that_changed_in_a_row_is_damage_that_names_it(tmp_path: Path, table: str) -> None:
    path = tmp_path / "store"
    with closing(SqliteStore(path)) as store:
        store.write([(table, b"\x01", VALUE), (table, b"\x02", b"sound"), (table, b"\x03", VALUE.upper())])
    spoil(path, VALUE, VALUE.replace(b"value", b"valve"))
    with closing(SqliteStore(path)) as store:
        for look in (lambda: store.get(table, b"\x01"), lambda: list(store.scan(table))):
            with pytest.raises(StoreDamaged) as found:
                look()
            assert found.value.sentence == f"the store is damaged in the table {table} at the key 01"
        assert store.get(table, b"\x02") == b"sound"
        assert store.check() == [f"the table {table} has a row at the key 01 that is not what was written"]
        store.write([(table, b"\x01", VALUE)])
        assert not store.check() and store.get(table, b"\x01") == VALUE


def test_a_row_that_an_import_of_rows_by_hand_changed_is_damage(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "store")) as store:
        store.write([("row", b"\x01", VALUE)])
    with closing(sqlite3.connect(tmp_path / "store")) as database:
        database.execute("UPDATE entry SET value=? WHERE key=?", (b"another", b"\x01"))
        database.commit()
    with closing(SqliteStore(tmp_path / "store")) as store, pytest.raises(StoreDamaged):
        store.get("row", b"\x01")


def test_a_store_of_an_older_release_gets_checksums_as_its_rows_are_written(tmp_path: Path) -> None:
    path = tmp_path / "store"
    older(path, {b"a": VALUE, b"b": b"1"})
    before = path.read_bytes()
    with closing(SqliteStore(path)) as store:
        assert everything(store) == {"row": {b"a": VALUE, b"b": b"1"}} and not store.check()
    assert path.read_bytes() == before, "who only looks writes nothing"
    with closing(SqliteStore(path)) as store:
        store.write([("row", b"b", b"2"), ("row", b"c", VALUE.title())])
        assert everything(store) == {"row": {b"a": VALUE, b"b": b"2", b"c": VALUE.title()}}
        assert store.write_once("row", b"b", b"3") == b"2"
    spoil(path, VALUE.title(), VALUE)
    with closing(SqliteStore(path)) as store, pytest.raises(StoreDamaged):
        store.get("row", b"c")


def test_an_older_release_goes_on_with_a_store_that_has_checksums(tmp_path: Path) -> None:
    """The statements are that release's own."""
    path = tmp_path / "store"
    with closing(SqliteStore(path)) as store:
        store.write([("row", b"a", b"1"), ("row", b"b", b"1"), ("row", b"c", b"1"), ("vote", b"v", b"1")])
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (2,)
        database.execute("BEGIN IMMEDIATE")
        database.execute("REPLACE INTO entry VALUES (?, ?, ?)", ("row", b"a", b"2"))
        database.execute("REPLACE INTO entry VALUES (?, ?, ?)", ("row", b"d", b"2"))
        database.execute("DELETE FROM entry WHERE tab=? AND key=?", ("row", b"b"))
        database.execute("INSERT OR IGNORE INTO entry VALUES (?, ?, ?)", ("row", b"c", b"2"))
        database.execute("COMMIT")
        database.execute("DELETE FROM entry WHERE tab=?", ("vote",))
        query = "SELECT key, value FROM entry WHERE tab=? AND key>=? ORDER BY key ASC LIMIT 256"
        assert database.execute(query, ("row", b"")).fetchall() == [(b"a", b"2"), (b"c", b"1"), (b"d", b"2")]
        plan = database.execute(f"EXPLAIN QUERY PLAN {query}", ("row", b"")).fetchall()
        assert [step[3].partition(" USING ")[0] for step in plan] == ["SEARCH stored"], "by the key, and nothing else"
    with closing(SqliteStore(path)) as store:
        assert everything(store) == {"row": {b"a": b"2", b"c": b"1", b"d": b"2"}} and not store.check()


def test_a_copy_has_the_checksums_too(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "store")) as store:
        store.write([("row", b"a", VALUE)])
        store.backup(tmp_path / "copy", lambda _: [("row", b"b", VALUE.upper())])
    spoil(tmp_path / "copy", VALUE.upper(), VALUE.title())
    with closing(SqliteStore(tmp_path / "copy")) as copy:
        assert copy.get("row", b"a") == VALUE
        with pytest.raises(StoreDamaged):
            copy.get("row", b"b")


def test_a_full_store_of_an_older_release_goes_on_without(tmp_path: Path) -> None:
    path = tmp_path / "store"
    older(path, {b"a": bytes(100)})
    pages = path.stat().st_size // 4_096
    with closing(SqliteStore(path, max_pages=pages)) as store:
        store.write([("row", b"a", b"2")])
        assert everything(store) == {"row": {b"a": b"2"}}
