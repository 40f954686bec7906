"""The conformance suite that every store passes: SQLite and a real MongoDB."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lucid.ledger.state import Write
from lucid.storage import logged
from lucid.storage.durable import DurableStore
from lucid.storage.interface import Store, StoreDamaged, StoreError, StoreFull, StoreOther
from lucid.storage.opening import open_store
from lucid.storage.sqlite import PAGE_BYTES, SqliteStore

Opener = Callable[[], Store]

TABLES = st.sampled_from(["row", "tree", "t"])
KEYS = st.binary(max_size=3)
WRITES = st.lists(st.tuples(TABLES, KEYS, st.none() | st.binary(max_size=4)), max_size=12)


@pytest.fixture(params=["sqlite", "logged", "mongo"])
def opener(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opener:
    """Opens the same store each time that it is called; a `logged` one has a commit log from the first commit on."""
    if request.param == "logged":
        monkeypatch.setattr(logged, "WORTH_COMMITS", 0)
    url = request.getfixturevalue("mongod").url() if request.param == "mongo" else f"sqlite:{tmp_path}/store"
    return lambda: open_store(url)


@pytest.fixture
def store(opener: Opener) -> Iterator[Store]:
    """An empty store."""
    with closing(opener()) as opened:
        yield opened


def everything(store: Store | DurableStore) -> dict[str, dict[bytes, bytes]]:
    """All rows by table."""
    return {table: dict(store.scan(table)) for table in store.tables()}


def applied(model: dict[str, dict[bytes, bytes]], writes: list[Write]) -> None:
    """What writes do to a model."""
    for table, key, value in writes:
        if value is None:
            model.get(table, {}).pop(key, None)
        else:
            model.setdefault(table, {})[key] = value


def test_an_empty_store_holds_nothing(store: Store) -> None:
    assert store.get("row", b"a") is None and list(store.scan("row")) == [] and store.tables() == []
    assert store.check() == []


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(WRITES, max_size=5), start=KEYS, limit=st.none() | st.integers(0, 5), reverse=st.booleans())
def test_a_store_is_a_dict_of_ordered_tables(
    store: Store, batches: list[list[Write]], start: bytes, limit: int | None, reverse: bool
) -> None:
    for table in store.tables():
        store.write([(table, key, None) for key, _ in store.scan(table)])
    model: dict[str, dict[bytes, bytes]] = {}
    for batch in batches:
        store.write(batch)
        applied(model, batch)
    assert everything(store) == {table: rows for table, rows in model.items() if rows}
    for table in ("row", "tree", "t"):
        rows = sorted(model.get(table, {}).items(), reverse=reverse)
        kept = [row for row in rows if (not start or row[0] < start if reverse else row[0] >= start)]
        assert list(store.scan(table, start, limit, reverse)) == kept[:limit]
        for key, value in rows:
            assert store.get(table, key) == value


def test_a_long_table_is_scanned_whole_and_in_order(store: Store) -> None:
    rows = [(number.to_bytes(2, "big"), bytes([number % 256])) for number in range(1_000)]
    store.write([("row", key, value) for key, value in reversed(rows)])
    assert list(store.scan("row")) == rows
    assert list(store.scan("row", reverse=True)) == rows[::-1]
    assert list(store.scan("row", rows[300][0], 500)) == rows[300:800]
    assert list(store.scan("row", rows[300][0], 500, reverse=True)) == rows[299::-1][:500]


def test_what_was_written_is_there_after_closing(opener: Opener) -> None:
    with closing(opener()) as store:
        store.write([("row", b"a", b"1"), ("row", b"\x00", b""), ("row", b"b", b"2")])
        store.write([("row", b"b", None)])
    with closing(opener()) as store:
        assert everything(store) == {"row": {b"a": b"1", b"\x00": b""}}


def test_a_write_is_all_or_nothing(store: Store) -> None:
    store.write([("row", b"a", b"1")])
    with pytest.raises((StoreError, TypeError, Exception)):
        store.write([("row", b"a", b"2"), ("row", b"b", object())])  # type: ignore[list-item]
    assert everything(store) == {"row": {b"a": b"1"}}


def test_reading_while_iterating_a_scan(store: Store) -> None:
    store.write([("row", bytes([number]), b"x") for number in range(10)])
    seen = []
    for key, _ in store.scan("row"):
        store.write([("row", key, None)])
        assert store.get("row", key) is None
        seen.append(key)
    assert seen == [bytes([number]) for number in range(10)]


def test_closing_twice_is_harmless(opener: Opener) -> None:
    store = opener()
    store.close()
    store.close()


@pytest.mark.parametrize("url", ["", "sqlite:", "mysql:x", "/tmp/x", "mongodb://127.0.0.1:1/"])
def test_a_url_of_no_store_is_refused(url: str) -> None:
    with pytest.raises(StoreError):
        open_store(url)


# -- SQLite alone ------------------------------------------------------------------------------------------------


def test_a_folder_or_another_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is not a database, however long one reads in it" * 100)
    for path, code in ((tmp_path, 1101), (tmp_path / "text", 1104), (tmp_path / "missing" / "store", 1101)):
        with pytest.raises(StoreError, match=f"LUCID_ERR_{code}"):
            SqliteStore(path)


def test_a_database_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other")) as other:
        other.execute("CREATE TABLE mail (text)")
    before = (tmp_path / "other").read_bytes()
    with pytest.raises(StoreOther, match="another program"):
        SqliteStore(tmp_path / "other")
    assert (tmp_path / "other").read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_a_lost_page_is_damage_that_names_table_and_key(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "store")) as store:
        store.write([("row", number.to_bytes(4, "big"), bytes(1_000)) for number in range(100)])
    data = bytearray((tmp_path / "store").read_bytes())
    for page in range(1, len(data) // PAGE_BYTES):
        data[page * PAGE_BYTES] = 0
    (tmp_path / "store").write_bytes(data)
    with closing(SqliteStore(tmp_path / "store")) as store:
        with pytest.raises(StoreDamaged) as found:
            store.get("row", bytes(4))
        assert found.value.sentence == "the store is damaged in the table row at the key 00000000"


@pytest.mark.parametrize(("version", "sentence"), [(99, "version 99; .* use a newer one"), (1, "begin a new chain")])
def test_a_store_of_another_schema_version_is_refused(tmp_path: Path, version: int, sentence: str) -> None:
    with closing(SqliteStore(tmp_path / "store")) as store:
        store._writer.execute(f"PRAGMA user_version={version}")
    with pytest.raises(StoreError, match=sentence):
        SqliteStore(tmp_path / "store")


def test_a_damaged_store_is_found_out(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "store")) as store:
        store.write([("row", number.to_bytes(4, "big"), bytes(1_000)) for number in range(500)])
    data = bytearray((tmp_path / "store").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4_000] = b"\xff" * 4_000
    (tmp_path / "store").write_bytes(data)
    with closing(SqliteStore(tmp_path / "store")) as store:
        try:
            assert store.check()
        except StoreError as error:
            assert "malformed" in str(error)


def test_a_full_store_says_so_writes_nothing_and_goes_on_with_room(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "store", max_pages=20)) as store:
        store.write([("row", b"first", b"1")])
        with pytest.raises(StoreFull):
            store.write([("row", b"big", bytes(1 << 20)), ("row", b"small", b"2")])
        assert everything(store) == {"row": {b"first": b"1"}}
        store._writer.execute("PRAGMA max_page_count=20000")
        store.write([("row", b"big", bytes(1 << 20))])
        assert len(store.get("row", b"big") or b"") == 1 << 20


def test_a_backup_holds_all_but_the_log_of_votes(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "store")) as store:
        store.write([("row", b"a", b"1"), ("vote", b"latest", b"v")])
        store.backup(tmp_path / "copy")
        with pytest.raises(FileExistsError):
            store.backup(tmp_path / "copy")
        assert store.get("vote", b"latest") == b"v"
    with closing(SqliteStore(tmp_path / "copy")) as copy:
        assert everything(copy) == {"row": {b"a": b"1"}}
