"""The index of references by session: what it costs to ask, and that it is the references' whatever came before."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio

from lucid.chain.chunks import chunk_id
from lucid.chain.codec import encode
from lucid.ledger.rowstore import Write
from lucid.services.chunks import referenceindex
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.reference import REFERENCE_TABLE, Reference, decode_reference
from lucid.services.chunks.referenceindex import INDEX_TABLE, SUM_TABLE
from lucid.services.chunks.sessionreferences import SessionReferences
from lucid.services.process.mongod import Mongod
from lucid.services.process.space import Space
from lucid.storage.chunkrow import CHUNK_TABLE, ChunkRow, decode_row
from lucid.storage.durable import PAGE_ROWS, DurableStore
from lucid.storage.errors import StoreError, StoreSlow
from lucid.storage.interface import Store
from lucid.storage.mongo import MongoStore
from lucid.storage.sqlite import SqliteStore
from tests.services.chunks.fleets import body
from tests.storage.conftest import mongod  # noqa: F401

ROOT = Path(__file__).parents[3]
OWNERS = [b"", b"\x00" * 32, b"o" * 32]
Opener = Callable[[], Store]


@pytest.fixture(params=["sqlite", "mongo"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens one and the same store."""
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / "data.sqlite")
    server: Mongod = request.getfixturevalue("mongod")
    url = server.url()
    return lambda: MongoStore(url, url.split("/")[-1].split("?")[0])


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is."""
    monkeypatch.setattr(referenceindex, "WAIT_S", 120.0)


class Counted:
    """A store that counts the rows that it gives, and breaks after so many writes."""

    def __init__(self, inner: Store, writes: int = 1 << 60) -> None:
        self.inner = inner
        self.rows = 0
        self.left = writes

    def get(self, table: str, key: bytes) -> bytes | None:
        """One row."""
        self.rows += 1
        return self.inner.get(table, key)

    def scan(
        self, table: str, start: bytes = b"", limit: int | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """So many rows."""
        for row in self.inner.scan(table, start, limit, reverse):
            self.rows += 1
            yield row

    def write(self, writes: list[Write]) -> None:
        """Until it is as if the power went."""
        self.left -= 1
        if self.left < 0:
            raise StoreError("no power")
        self.inner.write(writes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@asynccontextmanager
async def started(folder: Path, store: Any) -> AsyncIterator[tuple[DurableStore, Chunks]]:
    """A node's chunks over a store, as a start of the process finds them."""
    durable = DurableStore(store)
    chunks = Chunks(folder / "chunks", durable, Space(folder, folder / "ballast", 0, 0))
    async with trio.open_nursery() as nursery:
        await nursery.start(durable.run)
        nursery.start_soon(chunks.index.run)
        yield durable, chunks
        durable.end()
        nursery.cancel_scope.cancel()


def older(sessions: int, chunks: int) -> list[Write]:
    """What an older release writes of so many sessions of so many chunks each."""
    writes: list[Write] = []
    for number in range(sessions):
        session = number.to_bytes(16, "big") + OWNERS[number % 3]
        for place in range(chunks):
            chunk = chunk_id(b"%d/%d" % (number if place else number // 10, place))  # some share one
            writes.append((CHUNK_TABLE, chunk, encode(ChunkRow(1_000 + place, 0))))
            writes.append((REFERENCE_TABLE, chunk + session, encode(Reference(1 + place, b"")) if place else b""))
    return writes


def recounted(store: Store) -> dict[bytes, tuple[int, int, int]]:
    """Every session's chunks, bytes and time of its newest reference, from the references alone."""
    found: dict[bytes, tuple[int, int, int]] = {}
    for key, value in store.scan(REFERENCE_TABLE):
        row = store.get(CHUNK_TABLE, key[:32])
        size = 0 if row is None else decode_row(key[:32], row).size
        chunks, total_bytes, since_ms = found.get(key[32:], (0, 0, 0))
        newest = max(since_ms, decode_reference(key[:32], value).since_ms)
        found[key[32:]] = chunks + 1, total_bytes + size, newest
    return found


async def listed(durable: DurableStore, chunks: Chunks) -> dict[bytes, tuple[int, int, int]]:
    """The same as it is answered, page by page, each with its chunks."""
    references, found, after = SessionReferences(durable, chunks), {}, b""
    while page := await references.page(after, 7):
        for held in page:
            assert held.session > after, "in order"
            after = held.session
            found[after] = held.chunks, held.total_bytes, held.since_ms
            assert len(await durable.read(lambda name=after: list(chunks.index.chunks(name)))) == held.chunks
            assert after in await references.owners(after[:16])
    return found


async def test_what_is_asked_of_one_session_reads_a_few_pages_of_many_references(tmp_path: Path) -> None:
    """Of eight thousand, which each of the three read whole once."""
    with closing(SqliteStore(tmp_path / "data.sqlite")) as inner:
        inner.write(older(2_000, 4))
        counted = Counted(inner)
        async with started(tmp_path, counted) as (durable, chunks):
            references = SessionReferences(durable, chunks)
            await chunks.index.level()
            counted.rows = 0
            name, owner = (100).to_bytes(16, "big"), OWNERS[100 % 3]
            assert len(await references.page(name, 10)) == 10
            assert await references.owners(name) == [name + owner]
            assert counted.rows <= 2 * PAGE_ROWS
            assert await references.remove(name + owner) == 4
            assert counted.rows <= 8 * PAGE_ROWS + 64, "a page for each of its chunks"


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 5, 8, 100])
async def test_a_store_of_an_older_release_is_taken_over_wherever_that_is_cut_off(
    tmp_path: Path, opener: Opener, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(referenceindex, "PAGE", 16)
    with closing(opener()) as inner:
        inner.write(older(20, 5))
        before = recounted(inner)
        async with started(tmp_path, Counted(inner, cut)) as (durable, chunks):
            with trio.move_on_after(1 if cut < 100 else 60), suppress(StoreError):
                assert await listed(durable, chunks) == before
                assert cut == 100
        assert recounted(inner) == before
        async with started(tmp_path, inner) as (durable, chunks):
            assert await listed(durable, chunks) == before


KILLED = """
import os, signal, sys
from pathlib import Path

import trio

from lucid.services.chunks import referenceindex
from lucid.storage.sqlite import SqliteStore
from tests.services.chunks.test_referenceindex import Counted, started

class Killed(Counted):
    def write(self, writes):
        last = self.left == 1
        if last and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        super().write(writes)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)

async def main():
    async with started(folder, Killed(SqliteStore(folder / "data.sqlite"), int(sys.argv[2]))) as (durable, chunks):
        await chunks.index.level()

folder, when = Path(sys.argv[1]), sys.argv[3]
referenceindex.PAGE, referenceindex.WAIT_S = 16, 600
trio.run(main)
"""


async def test_it_is_taken_over_by_a_process_that_is_killed_again_and_again(tmp_path: Path) -> None:
    """SIGKILL before a write and right after one: what is written half is written whole by the next start."""
    with closing(SqliteStore(tmp_path / "data.sqlite")) as inner:
        inner.write(older(20, 5))
        before = recounted(inner)
    rows = []
    for writes, when in ((2, "before"), (3, "after"), (6, "before")):
        command = [sys.executable, "-c", KILLED, str(tmp_path), str(writes), when]
        assert (await trio.run_process(command, check=False, cwd=ROOT)).returncode == -signal.SIGKILL
        with closing(SqliteStore(tmp_path / "data.sqlite")) as inner:
            assert recounted(inner) == before
            rows.append(len([*inner.scan(INDEX_TABLE), *inner.scan(SUM_TABLE)]))
    assert 0 < rows[0] < rows[1] < rows[2] < 100 + 20, "each start went on, and none to the end"
    with closing(SqliteStore(tmp_path / "data.sqlite")) as inner:
        async with started(tmp_path, inner) as (durable, chunks):
            assert await listed(durable, chunks) == before


async def test_what_an_older_release_did_meanwhile_is_found_at_the_next_start(tmp_path: Path, opener: Opener) -> None:
    """A rollback: the older release reads and writes references alone, and knows nothing of the index."""
    with closing(opener()) as inner:
        inner.write(older(12, 3))
        async with started(tmp_path, inner) as (durable, chunks):
            await listed(durable, chunks)
        rows = [key for key, _ in inner.scan(REFERENCE_TABLE)]
        gone = (7).to_bytes(16, "big") + OWNERS[1]
        inner.write([(REFERENCE_TABLE, key, None) for key in rows if key[32:] == gone or key == rows[0]])
        inner.write([(REFERENCE_TABLE, rows[1][:32] + b"n" * 16, encode(Reference(5, b"")))])
        async with started(tmp_path, inner) as (durable, chunks):
            assert await listed(durable, chunks) == recounted(inner)
            assert gone not in await listed(durable, chunks)


@pytest.mark.parametrize("seed", range(3))
async def test_what_comes_and_goes_while_all_is_compared_counts_once(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(referenceindex, "PAGE", 4)
    chance = Random(seed)
    bodies = [bytes([number]) * (1_500 + number) for number in range(12)]
    sessions = [bytes([number]) * 16 + OWNERS[number % 3] for number in range(3)]
    with closing(SqliteStore(tmp_path / "data.sqlite")) as inner:
        async with started(tmp_path, inner) as (durable, chunks):
            for _ in range(30):
                await chunks.put(body(chance.choice(bodies)), chance.choice(sessions), None)
        inner.write([(SUM_TABLE, key, None) for key, _ in inner.scan(SUM_TABLE)])
        inner.write([(INDEX_TABLE, key, None) for key, _ in list(inner.scan(INDEX_TABLE))[::2]])
        async with started(tmp_path, inner) as (durable, chunks):
            for _ in range(40):
                data, session = chance.choice(bodies), chance.choice(sessions)
                if chance.random() < 0.5:
                    await chunks.put(body(data), session, None)
                else:
                    await chunks.release(chunk_id(data), session)
            found, wanted = await listed(durable, chunks), recounted(inner)
            assert {name: held[:2] for name, held in found.items()} == {name: held[:2] for name, held in wanted.items()}
        async with started(tmp_path, inner) as (durable, chunks):
            assert await listed(durable, chunks) == wanted, "times too"


async def test_who_asks_while_all_is_compared_is_told_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(referenceindex, "WAIT_S", 0.05)
    with closing(SqliteStore(tmp_path / "data.sqlite")) as inner:
        async with started(tmp_path, inner) as (durable, chunks), chunks.inventory.changing:
            with pytest.raises(StoreSlow):
                await SessionReferences(durable, chunks).page(b"", 1)
