"""Writes that are seen at once and durable later: order, group commit, a full disk, and a process killed for real."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lucid.ledger.rowstore import Write
from lucid.storage import durable
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged, StoreError, StoreSlow
from lucid.storage.sqlite import SqliteStore
from tests.storage.gate import Gate
from tests.storage.test_interface import KEYS, TABLES, WRITES, applied, everything

if TYPE_CHECKING:
    pass


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    """A store that is shut."""
    with closing(Gate(tmp_path / "store")) as store:
        yield store


def test_a_write_is_seen_at_once_and_durable_later(gate: Gate) -> None:
    async def main() -> None:
        store = DurableStore(gate)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(store.run)
            first = store.put([("row", b"a", b"1"), ("row", b"b", b"2")])
            second = store.put([("row", b"a", b"3"), ("row", b"b", None)])
            assert await store.read(everything, store) == {"row": {b"a": b"3"}}
            assert await store.read(store.get, "row", b"b") is None
            assert gate.get("row", b"a") is None
            with trio.move_on_after(0.05) as early:
                await store.durable(first)
            assert early.cancelled_caught, "nothing is durable yet"
            gate.open.set()
            await store.durable(first)
            await store.durable(second)
            assert gate.get("row", b"a") == b"3" == await store.read(store.get, "row", b"a")
            nursery.cancel_scope.cancel()

    trio.run(main)


def test_what_arrives_during_a_commit_makes_up_the_next_one(gate: Gate) -> None:
    async def main() -> None:
        store = DurableStore(gate)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(store.run)
            store.put([("row", b"first", b"")])
            await trio.testing.wait_all_tasks_blocked(0.02)
            for number in range(100):
                store.put([("row", bytes([number]), b"")])
            gate.open.set()
            await store.drained()
            assert gate.batches == [1, 100] and store.commits == 2
            nursery.cancel_scope.cancel()

    trio.run(main)


def test_what_is_put_lazily_waits_for_company(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "LAZY_S", 0.4)
    monkeypatch.setattr(durable, "LOOK_S", 0.02)

    async def main() -> None:
        store = DurableStore(gate)
        gate.open.set()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(store.run)
            store.put([("row", b"a", b"1")], lazily=True)
            await trio.sleep(0.1)
            assert gate.batches == [] and await store.read(store.get, "row", b"a") == b"1", "seen, not written"
            await store.write([("row", b"b", b"2")])
            assert gate.batches == [2], "with what is in a hurry"
            await store.durable(store.put([("row", b"c", b"3")], lazily=True))
            assert gate.batches == [2, 1], "somebody waits for it"
            store.put([("row", b"d", b"4")], lazily=True)
            await trio.sleep(0.2)
            assert gate.batches == [2, 1]
            with trio.fail_after(60):
                while gate.batches != [2, 1, 1]:
                    await trio.sleep(0.01)
            nursery.cancel_scope.cancel()

    trio.run(main)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(WRITES | st.just("wait"), max_size=12),
    start=KEYS,
    limit=st.none() | st.integers(0, 4),
    reverse=st.booleans(),
    table=TABLES,
)
def test_reads_are_those_of_a_dict_whatever_is_durable(
    tmp_path: Path, steps: list[list[Write] | str], start: bytes, limit: int | None, reverse: bool, table: str
) -> None:
    (tmp_path / "store").unlink(missing_ok=True)

    async def main(inner: SqliteStore) -> None:
        model: dict[str, dict[bytes, bytes]] = {}
        store = DurableStore(inner)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(store.run)
            for step in steps:
                if isinstance(step, str):
                    await store.drained()
                else:
                    store.put(step)
                    applied(model, step)
                rows = sorted(model.get(table, {}).items(), reverse=reverse)
                kept = [row for row in rows if (not start or row[0] < start if reverse else row[0] >= start)]
                assert await store.read(lambda: list(store.scan(table, start, limit, reverse))) == kept[:limit]
                assert await store.read(everything, store) == {name: held for name, held in model.items() if held}
                for key, value in rows:
                    assert await store.read(store.get, table, key) == value
            await store.drained()
            nursery.cancel_scope.cancel()
        for name, held in model.items():
            assert dict(inner.scan(name)) == held

    for leftover in tmp_path.glob("store*"):
        leftover.unlink()
    with closing(SqliteStore(tmp_path / "store")) as inner:
        trio.run(main, inner)


def test_a_full_disk_is_named_and_gone_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "RETRY_S", 0.02)

    async def main(inner: SqliteStore) -> None:
        store = DurableStore(inner)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(store.run)
            await store.write([("row", b"a", b"1")])
            assert store.trouble is None
            big = store.put([("row", b"big", bytes(1 << 20))])
            after = store.put([("row", b"after", b"2")])
            with trio.move_on_after(0.1) as waiting:
                await store.durable(big)
            assert waiting.cancelled_caught
            assert "LUCID_ERR_1102" in str(store.trouble)
            assert await store.read(store.get, "row", b"after") == b"2", "reads go on"
            inner._writer.execute("PRAGMA max_page_count=20000")
            await store.durable(after)
            assert inner.get("row", b"after") == b"2"
            assert not store.trouble
            nursery.cancel_scope.cancel()

    with closing(SqliteStore(tmp_path / "store", max_pages=20)) as inner:
        trio.run(main, inner)


def test_a_store_that_is_away_is_noticed_without_a_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Away(SqliteStore):
        away = False

        def get(self, table: str, key: bytes) -> bytes | None:
            if self.away:
                raise StoreError("it is away")
            return super().get(table, key)

    monkeypatch.setattr(durable, "LOOK_S", 0.02)

    async def main(below: Away) -> None:
        store = DurableStore(below)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(store.run)
            for below.away in (True, False, True):
                with trio.fail_after(60):
                    while (store.trouble is not None) is not below.away:
                        await trio.sleep(0.01)
            below.away = False
            await store.write([("row", b"a", b"1")])
            assert store.trouble is None
            nursery.cancel_scope.cancel()

    with closing(Away(tmp_path / "store")) as below:
        trio.run(main, below)


def test_who_waits_for_a_commit_learns_that_nobody_commits_any_more(gate: Gate) -> None:
    """Once a test hung forever: an upload, shielded while it is stored, waited for a committer that was cancelled."""
    refused: list[StoreError] = []

    async def main() -> None:
        store = DurableStore(gate)

        async def shielded() -> None:
            with trio.CancelScope(shield=True):
                try:
                    await store.write([("row", b"a", b"1")])
                except StoreError as error:
                    refused.append(error)

        with trio.move_on_after(30) as hung:
            async with trio.open_nursery() as nursery:
                await nursery.start(store.run)
                nursery.start_soon(shielded)
                await trio.testing.wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
                gate.open.set()
        assert not hung.cancelled_caught

    trio.run(main)
    assert len(refused) == 1


def test_a_read_gives_up_once_the_process_stops(tmp_path: Path) -> None:
    inner = SqliteStore(tmp_path / "store")
    store = DurableStore(inner)
    inner.close()
    store.end()
    with pytest.raises(StoreError):
        store.get("row", b"a")


WRITER = """
import sys, trio
from pathlib import Path
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore

async def one(store, number):
    pair = number.to_bytes(4, "big")
    await store.write([("row", b"a" + pair, bytes(500)), ("row", b"b" + pair, bytes(500))])
    print(number, flush=True)

async def main():
    store = DurableStore(SqliteStore(Path(sys.argv[1])))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(store.run)
        for first in range(0, 100_000, 8):
            async with trio.open_nursery() as inner:
                for number in range(first, first + 8):
                    inner.start_soon(one, store, number)

trio.run(main)
"""


@pytest.mark.parametrize("lines", [1, 57, 400])
def test_what_was_acknowledged_survives_kill_9_and_no_batch_is_torn(tmp_path: Path, lines: int) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "store")]
    acknowledged = set()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(lines):
            acknowledged.add(int(process.stdout.readline()))
        process.send_signal(signal.SIGKILL)
        acknowledged |= {int(line) for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")}
    with closing(SqliteStore(tmp_path / "store")) as store:
        keys = [key for key, _ in store.scan("row")]
        assert store.check() == []
    first = {int.from_bytes(key[1:], "big") for key in keys if key[:1] == b"a"}
    second = {int.from_bytes(key[1:], "big") for key in keys if key[:1] == b"b"}
    assert first == second, "a batch is there whole or not at all"
    assert len(acknowledged) >= lines and acknowledged <= first


def test_whoever_waits_for_a_write_that_meets_damage_is_told_and_reads_go_on(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        store = DurableStore(gate)
        gate.open.set()
        async with trio.open_nursery() as nursery:
            await nursery.start(store.run)
            await store.write([("row", b"a", b"1")])
            monkeypatch.setattr(gate, "commit", damaged)
            for _ in range(2):
                with pytest.raises(StoreDamaged, match="malformed"), trio.fail_after(5):
                    await store.write([("row", b"b", b"2")])
            assert store.damage is not None and store.damage.sentence.endswith("the table row at the key 62")
            assert await store.read(store.get, "row", b"a") == b"1"
            nursery.cancel_scope.cancel()
        assert gate.get("row", b"b") is None

    def damaged(*_: object) -> None:
        raise StoreDamaged("malformed", "row", b"b")

    trio.run(main)


def test_what_a_task_never_comes_to_read_is_not_waited_for(gate: Gate) -> None:
    async def main() -> None:
        store, loaded = DurableStore(gate), trio.Event()
        with pytest.raises(StoreSlow):
            await store.when(loaded, 0.05)

        async def spoil() -> None:
            await trio.sleep(0.05)
            store._noted(StoreDamaged("malformed", "row", b"b"))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(spoil)
            with pytest.raises(StoreDamaged), trio.fail_after(5):
                await store.when(loaded, 60)
        loaded.set()
        await store.when(loaded, 60)

    trio.run(main)
