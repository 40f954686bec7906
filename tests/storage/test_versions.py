"""Stores of other releases: of an older layout, written by hand as that release did, of a newer one, of another
program."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient

from lucid.chain.errors import Refusal
from lucid.machines.chain import ROOT_KEY, ROOT_TABLE
from lucid.services.process.mongod import Mongod
from lucid.storage.errors import StoreOther
from lucid.storage.interface import LOGGED_VERSION, SCHEMA_VERSION
from lucid.storage.opening import open_store
from lucid.storage.records import RecordWriter
from lucid.storage.sqlite import SqliteStore
from lucid.storage.transfer import EXPORT_FORMAT, ExportHeader, import_store

NEWER = LOGGED_VERSION + 96


def sqlite_of(path: Path, version: int) -> None:
    """A SQLite store as a release with that schema version left it: version 1 had the same table."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute(
            "CREATE TABLE entry (tab TEXT, key BLOB, value BLOB NOT NULL, PRIMARY KEY (tab, key)) WITHOUT ROWID, STRICT"
        )
        database.execute("INSERT INTO entry VALUES (?, ?, ?)", (ROOT_TABLE, ROOT_KEY, bytes(32)))
        database.execute(f"PRAGMA user_version={version}")
        database.commit()


def contents(path: Path) -> list[Any]:
    """All rows of a SQLite store, and its schema version."""
    with closing(sqlite3.connect(path)) as database:
        return [database.execute("PRAGMA user_version").fetchone(), *database.execute("SELECT * FROM entry")]


@pytest.mark.parametrize(
    ("version", "says"),
    [
        (1, f"holds a chain that an older release began (schema version 1; this release has {SCHEMA_VERSION})"),
        (NEWER, f"has schema version {NEWER}; this release knows"),
    ],
)
def test_a_sqlite_store_of_another_version_is_refused_in_a_sentence_and_left_as_it_is(
    tmp_path: Path, version: int, says: str
) -> None:
    path = tmp_path / "manager.sqlite"
    sqlite_of(path, version)
    before = contents(path)
    with pytest.raises(StoreOther) as refused:
        open_store(f"sqlite:{path}")
    assert says in refused.value.detail and "\n" not in refused.value.detail
    assert contents(path) == before


def test_a_sqlite_store_without_the_commit_log_is_taken_over(tmp_path: Path) -> None:
    """Schema version 2 is what releases before the log wrote; it is opened, and what is in it is found."""
    path = tmp_path / "manager.sqlite"
    sqlite_of(path, SCHEMA_VERSION)
    store = open_store(f"sqlite:{path}")
    try:
        assert store.get(ROOT_TABLE, ROOT_KEY) == bytes(32)
        for number in range(40):
            store.write([("later", bytes([number]), b"x")])
        assert len(list(store.scan("later"))) == 40
    finally:
        store.close()
    again = open_store(f"sqlite:{path}")
    try:
        assert again.get(ROOT_TABLE, ROOT_KEY) == bytes(32) and len(list(again.scan("later"))) == 40
    finally:
        again.close()


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "manager.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE pictures (name TEXT)")
        database.commit()
    with pytest.raises(StoreOther, match="database of another program"):
        SqliteStore(path)


@pytest.mark.parametrize(
    ("version", "says"),
    [(1, "that an older release began (schema version 1;"), (NEWER, f"has schema version {NEWER};")],
)
def test_a_mongodb_of_another_version_is_refused_in_a_sentence_and_left_as_it_is(
    mongod: Mongod, version: int, says: str
) -> None:
    url = mongod.url()
    client: MongoClient[dict[str, Any]] = MongoClient(url)
    try:
        held = client[urlsplit(url).path.removeprefix("/")]
        held["schema"].insert_one({"_id": "schema", "version": version})
        held["entries"].insert_one({"_id": f"{ROOT_TABLE}/00", "table": ROOT_TABLE, "value": bytes(32)})
        with pytest.raises(StoreOther) as refused:
            open_store(url)
        assert says in refused.value.detail and "\n" not in refused.value.detail
        assert held["schema"].find_one() == {"_id": "schema", "version": version}
        assert held["entries"].count_documents({}) == 1
    finally:
        client.close()


@pytest.mark.parametrize("version", [1, NEWER])
def test_an_export_of_another_version_is_refused_in_a_sentence(tmp_path: Path, version: int) -> None:
    export = tmp_path / "export"
    writer = RecordWriter(export)
    writer.write(ExportHeader(EXPORT_FORMAT, version))
    writer.close()
    store = open_store(f"sqlite:{tmp_path / 'manager.sqlite'}")
    try:
        with pytest.raises(Refusal) as refused:
            import_store(export, store)
        assert f"of version {version}; this is {SCHEMA_VERSION}" in refused.value.detail
        assert not store.tables()
    finally:
        store.close()
