"""The store on MongoDB alone: a server that goes, hangs or comes back, and what a killed process left in it."""

from __future__ import annotations

import signal
from contextlib import closing

import pytest
import trio
import trio.testing

from lucid.ledger.rowstore import Write
from lucid.services.process.mongod import Mongod
from lucid.storage import durable, mongo
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged
from lucid.storage.mongo import MongoStore
from lucid.storage.opening import open_store


def test_a_mongod_that_stops_and_starts_again_loses_nothing(mongod: Mongod, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongo, "TIMEOUT_MS", 500)
    monkeypatch.setattr(durable, "RETRY_S", 0.05)
    url = mongod.url()

    async def main(inner: mongo.MongoStore) -> None:
        store = DurableStore(inner)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(store.run)
            await store.write([("row", b"a", b"1")])
            await trio.to_thread.run_sync(mongod.stop)
            ticket = store.put([("row", b"b", b"2")])
            while store.trouble is None:
                await trio.sleep(0.05)
            assert "cannot be reached" in store.trouble.detail
            mongod.start()  # in this thread: it is tied to the one that starts it, and trio's end when they are idle
            await store.durable(ticket)
            assert store.trouble is None
            assert await trio.to_thread.run_sync(inner.get, "row", b"b") == b"2"
            nursery.cancel_scope.cancel()

    with closing(mongo.MongoStore(url, url.split("/")[-1].split("?")[0])) as inner:
        trio.run(main, inner)


def test_a_mongod_that_was_paused_is_used_again_at_once(mongod: Mongod, monkeypatch: pytest.MonkeyPatch) -> None:
    """What timed out here may still be done there; its transactions must not hold up the next for a minute."""
    monkeypatch.setattr(mongo, "TIMEOUT_MS", 500)
    monkeypatch.setattr(durable, "RETRY_S", 0.05)
    url = mongod.url()

    async def main(inner: mongo.MongoStore) -> None:
        store = DurableStore(inner)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(store.run)
            await store.write([("row", b"a", b"1")])
            for pause_s in (0.7, 1.5, 3.0):
                mongod.signal(signal.SIGSTOP)
                ticket = store.put([("row", b"a", b"2"), ("row", b"b", b"%f" % pause_s)])
                await trio.sleep(pause_s)
                mongod.signal(signal.SIGCONT)
                with trio.fail_after(60):
                    await store.durable(ticket)
            nursery.cancel_scope.cancel()

    with closing(mongo.MongoStore(url, url.split("/")[-1].split("?")[0])) as inner:
        trio.run(main, inner)


def test_what_a_killed_process_left_in_a_mongod_holds_up_nobody(mongod: Mongod) -> None:
    """Its last transaction, which would hold what it wrote for a minute."""
    url = mongod.url()
    with closing(open_store(url)) as killed:
        assert isinstance(killed, MongoStore)
        killed.write([("row", b"a", b"1")])
        session = killed._session
        assert session is not None
        session.start_transaction()
        killed._entries.update_one({"_id": "row/61"}, {"$set": {"value": b"2"}}, session=session)
        with closing(open_store(url)) as later:
            later.write([("row", b"a", b"4")])
            assert later.get("row", b"a") == b"4"


def test_an_entry_without_a_value_is_damage_that_names_it(mongod: Mongod) -> None:
    url = mongod.url()
    with closing(open_store(url)) as store:
        assert isinstance(store, MongoStore)
        store.write([("row", b"a", b"1")])
        store._entries.insert_one({"_id": "row/62", "table": "row", "value": "words"})
        assert store.get("row", b"a") == b"1"
        for read in (lambda: store.get("row", b"b"), lambda: list(store.scan("row"))):
            with pytest.raises(StoreDamaged) as damaged:
                read()
            assert damaged.value.sentence == "the store is damaged in the table row at the key 62"


def test_of_two_tables_one_of_which_begins_as_the_other_each_has_its_own_rows(mongod: Mongod) -> None:
    """All of them are one collection, in the order of a text."""
    with closing(open_store(mongod.url())) as store:
        store.write([(table, key, table.encode()) for table in ("row", "rows", "ro") for key in (b"", b"\xff" * 40)])
        assert store.tables() == ["ro", "row", "rows"]
        for table in store.tables():
            assert [value for _, value in store.scan(table)] == [table.encode()] * 2
            assert [value for _, value in store.scan(table, reverse=True)] == [table.encode()] * 2


def test_of_several_writes_of_one_row_the_last_counts(mongod: Mongod) -> None:
    with closing(open_store(mongod.url())) as store:
        writes: list[Write] = [
            ("row", b"a", b"1"),
            ("row", b"b", b"1"),
            ("row", b"a", None),
            ("row", b"a", b"2"),
            ("row", b"b", None),
        ]
        store.write(writes)
        assert list(store.scan("row")) == [(b"a", b"2")]
        store.write([])
        assert store.write_once("row", b"a", b"3") == b"2"
