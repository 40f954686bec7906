"""Journals of a service's machine: one file a start, from where the store stands, and never the node's secret."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
import trio

from lucid.machines.effects import Effects, Observe, Started, TimedOut, TimerFired
from lucid.services.process import journals
from lucid.services.process.config import ConfigError
from lucid.services.process.driver import Driver
from lucid.services.process.journals import open_journal
from lucid.storage.durable import DurableStore
from lucid.storage.journal import read_journal
from lucid.storage.sqlite import SqliteStore
from tests.builders import make_genesis
from tests.services.peer.acquainted import KEYS, SECRETS
from tests.waiting import until


@asynccontextmanager
async def stored(folder: Path) -> AsyncIterator[DurableStore]:
    """A store that runs, with a row on its way."""
    with closing(SqliteStore(folder / "engine.sqlite")) as sqlite:
        store = DurableStore(sqlite)
        async with trio.open_nursery() as nursery:
            await nursery.start(store.run)
            await store.write([("vote", b"one", b"durable")])
            store.put([("vote", b"two", b"on its way")])
            yield store
            store.end()
            nursery.cancel_scope.cancel()


async def test_without_a_folder_there_is_none(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        before = sorted(tmp_path.iterdir())
        async with open_journal(None, "engine", make_genesis(), KEYS[0], (), store) as journal:
            assert journal is None
        assert sorted(tmp_path.iterdir()) == before


async def test_it_begins_where_the_store_stands_and_holds_no_secret(tmp_path: Path) -> None:
    folder, genesis = tmp_path / "a" / "journals", make_genesis()
    async with (
        stored(tmp_path) as store,
        open_journal(folder, "engine", genesis, KEYS[0], (KEYS[1],), store) as journal,
    ):
        assert journal is not None
        journal.write(5, Started(), [])
        journal.write(7, TimerFired("view"), [])
    [file] = folder.iterdir()
    assert file.name.startswith(f"{KEYS[0].hex()[:8]}-engine-") and file.suffix == ".journal"
    head, entries = read_journal(file)
    assert (head.machine, head.crypto, head.key, head.peers) == ("engine", "real", KEYS[0], (KEYS[1],))
    assert head.secret == b"" and SECRETS[0] not in file.read_bytes()
    assert dict(head.tables) == {"vote": ((b"one", b"durable"), (b"two", b"on its way"))}
    assert [entry.now for entry in entries] == [5, 7]


async def test_whatever_ends_the_machine_its_journal_can_be_read(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        with pytest.raises(RuntimeError, match="as a test"):
            async with open_journal(tmp_path / "j", "manager", make_genesis(), KEYS[0], (), store) as journal:
                assert journal is not None
                journal.write(1, Started(), [])
                raise RuntimeError("as a test")
        with trio.CancelScope() as scope:
            async with open_journal(tmp_path / "k", "manager", make_genesis(), KEYS[0], (), store) as journal:
                assert journal is not None
                journal.write(1, Started(), [])
                scope.cancel()
                await trio.sleep_forever()
    for folder in ("j", "k"):
        [file] = (tmp_path / folder).iterdir()
        _, entries = read_journal(file)
        assert [entry.now for entry in entries] == [1]


async def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in its place")
    async with stored(tmp_path) as store:
        with pytest.raises(ConfigError, match=r"journal: .*file"):
            async with open_journal(tmp_path / "file", "engine", make_genesis(), KEYS[0], (), store):
                pass


class Full:
    """A journal on a disk that has no room."""

    def write(self, *_: object) -> None:
        """See `JournalWriter`."""
        raise OSError(errno.ENOSPC, "no room")


class Counter:
    """A machine that says of each event how many there were."""

    count = 0

    def handle(self, now: int, event: Any) -> Effects:
        """See `Machine`."""
        self.count += 1
        return [Observe(TimedOut(0, self.count))]


async def test_a_machine_goes_on_without_the_rest_of_its_journal(tmp_path: Path) -> None:
    seen = list[Any]()
    with closing(SqliteStore(tmp_path / "store")) as inner:
        store = DurableStore(inner)
        async with trio.open_nursery() as nursery:
            await nursery.start(store.run)
            driver = Driver(Counter(), store, {Observe: seen.append}, Full())  # type: ignore[arg-type]
            await nursery.start(driver.run, Started())
            await driver.deliver("next")
            await until(lambda: len(seen) == 2)
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
async def test_a_journal_that_cannot_be_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def fails(*_: object) -> None:
        raise OSError(number, "it cannot be made")

    monkeypatch.setattr(journals, "JournalWriter", fails)
    with closing(SqliteStore(tmp_path / "store")) as inner:
        begun = open_journal(tmp_path / "journal", "engine", make_genesis(), KEYS[0], (), DurableStore(inner))
        if number == errno.ENOSPC:
            async with begun as journal:
                assert journal is None
        else:
            with pytest.raises(ConfigError, match=r"journal: .*: it cannot be made"):
                async with begun:
                    pass
