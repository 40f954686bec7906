"""The conformance suite that every store passes: SQLite and a real MongoDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.errors import ServerSelectionTimeoutError

from lucid.ledger.rowstore import Write
from lucid.storage import logged
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreError
from lucid.storage.interface import SCHEMA_VERSION, Store, other_version
from lucid.storage.mongo import in_short
from lucid.storage.opening import open_store

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


def test_a_store_that_was_not_meant_goes_as_it_came(opener: Opener) -> None:
    with closing(opener()) as store:
        assert store.made
        store.unmake()
    with closing(opener()) as store:
        assert store.made, "nothing was left"
        store.write([("row", b"a", b"1")])
        store.unmake()
    with closing(opener()) as store:
        assert not store.made and everything(store) == {"row": {b"a": b"1"}}, "what holds something stays"
        store.write([("row", b"a", None)])
        store.unmake()
    with closing(opener()) as store:
        assert not store.made, "and what was there before"


def test_closing_twice_is_harmless(opener: Opener) -> None:
    store = opener()
    store.close()
    store.close()


@pytest.mark.parametrize(
    "url",
    [
        *("", "sqlite:", "mysql:x", "/tmp/x", "mongodb://127.0.0.1:1/"),
        *("mongodb://[::1/d", "mongodb://h:99999/d", "mongodb://h:x/d", "mongodb://u:p:q@h/d"),
    ],
)
def test_a_url_of_no_store_is_refused(url: str) -> None:
    with pytest.raises(StoreError):
        open_store(url)


def test_what_keeps_mongodb_away_is_said_without_the_figures_of_its_driver() -> None:
    timeouts = " (configured timeouts: connectTimeoutMS: 20000.0ms), Timeout: 5.0s, Topology Description: <x>"
    assert in_short(ServerSelectionTimeoutError(f"h:1: refused{timeouts}")) == "h:1: refused"
    assert in_short(ServerSelectionTimeoutError("no primary")) == "no primary"


# -- what a store says when it cannot ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "says"), [(SCHEMA_VERSION + 1, "use a newer one"), (1, "begin a new chain")])
def test_another_schema_version_says_what_to_do(version: int, says: str) -> None:
    said = other_version("the file", version)
    assert said.startswith("the file ") and f"schema version {version}" in said and says in said
