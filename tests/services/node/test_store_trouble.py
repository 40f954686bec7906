"""Whatever a store does, a service answers for itself, says what is wrong, and stops when it is told to."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trio

from lucid.chain.document import print_genesis
from lucid.chain.ed25519 import ed25519_public_key
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.ledger.rowstore import Write
from lucid.services.anchoring import AnchoringService
from lucid.services.data import DataService
from lucid.services.engine import EngineService
from lucid.services.manager import ManagerService
from lucid.services.process.config import load_config
from lucid.services.process.keyfile import read_key, write_key
from lucid.services.process.service import Service
from lucid.storage.errors import StoreDamaged, StoreError, StoreFull
from lucid.storage.interface import Store
from lucid.storage.sqlite import PAGE_BYTES

KINDS = (DataService, EngineService, ManagerService, AnchoringService)
NAMES = [kind.listed.key for kind in KINDS]
ID = "ab" * 32
SESSION = "00000000-0000-4000-8000-000000000001"
READS = {
    DataService: [f"/chunks/{ID}", f"/chunks/{ID}/proof"],
    EngineService: ["/consensus/status", f"/transactions/{ID}"],
    ManagerService: ["/blocks", "/blocks/latest", "/blocks/1", f"/blocks/{ID}", f"/receipts/{ID}"],
    AnchoringService: [f"/sessions/{SESSION}", f"/sessions/{SESSION}/manifest", f"/sessions/{SESSION}/receipt"],
}
OLD = b"Z" * 500
SOON_S = 25.0
"""An answer that waited for a store that hangs would take a minute; a machine at its limit takes longer than a second,
within which `lucid bench services --only pressure` wants it."""


class Wrapped:
    """A store that does `trouble` before whatever is asked of it."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self.trouble: Callable[[], object] = lambda: None

    def get(self, table: str, key: bytes) -> bytes | None:
        """See `Store`."""
        self.trouble()
        return self.inner.get(table, key)

    def scan(
        self, table: str, start: bytes = b"", limit: int | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """See `Store`."""
        self.trouble()
        return self.inner.scan(table, start, limit, reverse)

    def tables(self) -> list[str]:
        """See `Store`."""
        self.trouble()
        return self.inner.tables()

    def write(self, writes: Sequence[Write]) -> None:
        """See `Store`."""
        self.trouble()
        self.inner.write(writes)

    def write_once(self, table: str, key: bytes, value: bytes) -> bytes:
        """See `Store`."""
        self.trouble()
        return self.inner.write_once(table, key, value)

    def hold(self, lock: Path) -> None:
        """See `Store`."""
        self.inner.hold(lock)

    def look(self) -> None:
        """See `Store`."""
        self.trouble()
        self.inner.look()

    def check(self) -> list[str]:
        """See `Store`."""
        return self.inner.check()

    def close(self) -> None:
        """See `Store`."""
        self.inner.close()

    @property
    def made(self) -> bool:
        """See `Store`."""
        return self.inner.made

    def unmake(self) -> None:
        """See `Store`."""
        self.inner.unmake()


@asynccontextmanager
async def running(
    folder: Path, kind: type[Service], trouble: Callable[[], object] = lambda: None, **settings: Path
) -> AsyncIterator[tuple[Service, Wrapped, httpx.AsyncClient]]:
    """A service whose store can be brought into trouble, or is from its start on. Its end must come in time."""
    if (folder / "node.key").exists():
        key = ed25519_public_key(read_key(folder / "node.key"))
    else:
        key = ed25519_public_key(write_key(folder / "node.key"))
    (folder / "genesis.toml").write_text(print_genesis(Genesis(0, (GenesisNode(key, "pi"),))))
    names = {"genesis": folder / "genesis.toml", "key": folder / "node.key", "data_dir": folder, **settings}
    service = kind(load_config({}, token="t" * 16, **names))
    store = service.store.store = Wrapped(service.store.store)
    store.trouble = trouble
    stop, ended = trio.Event(), 0.0
    async with trio.open_nursery() as nursery:
        port = await nursery.start(service.run, stop)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=30.0, headers={"Authorization": f"Bearer {'t' * 16}"}
        ) as client:
            yield service, store, client
            stop.set()
            ended = time.monotonic()
            with trio.fail_after(30):
                await service.ended.wait()
    assert time.monotonic() - ended < 10, "it stops at once"


async def health(client: httpx.AsyncClient, state: str, within_s: float = 45.0) -> dict[str, str]:
    """The condition of that name, once /health has it."""
    with trio.fail_after(within_s):
        while True:
            found = (await client.get("/health")).json().get("conditions", [])
            for condition in found:
                if condition["state"] == state:
                    return {str(key): str(value) for key, value in condition.items()}
            await trio.sleep(0.02)


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
async def test_a_store_that_hangs_holds_up_nothing_else(tmp_path: Path, kind: type[Service]) -> None:
    release = threading.Event()
    try:
        async with running(tmp_path, kind) as (service, store, client), trio.open_nursery() as nursery:
            store.trouble = lambda: release.wait(60)
            service.store.put([("row", b"a", b"1")])
            statuses: list[int] = []

            async def ask(path: str) -> None:
                statuses.append((await client.get(path)).status_code)

            for path in READS[kind] * 12:  # more than there are threads for them
                nursery.start_soon(ask, path)
            await trio.sleep(0.2)
            for path in ("/health", "/metrics", "/ready") * 3:
                with trio.fail_after(SOON_S):
                    await client.get(path)
            condition = await health(client, "store failing")
            assert condition["sentence"] == "the store does not answer in time"
            with trio.fail_after(30):
                while len(statuses) < 12 * len(READS[kind]):
                    await trio.sleep(0.02)
            assert set(statuses) <= {200, 404, 503}
    finally:
        release.set()


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
async def test_damage_is_named_with_its_table_and_stops_no_answer(
    tmp_path: Path, kind: type[Service], caplog: pytest.LogCaptureFixture
) -> None:
    def damaged() -> None:
        raise StoreDamaged("/a/path: page 3", "chunk", b"\xab" * 32)

    async with running(tmp_path, kind) as (_, store, client):
        store.trouble = damaged
        for path in READS[kind]:
            response = await client.get(path)
            assert response.status_code in (200, 404, 503) and "/a/path" not in response.text
        condition = await health(client, "store failing")
        assert condition["sentence"] == f"the store is damaged in the table chunk at the key {'ab' * 32}"
        assert "lucid store check" in condition["remedy"] and "/a/path" not in str(condition)
        for path in ("/health", "/metrics"):
            with trio.fail_after(SOON_S):
                await client.get(path)
    assert sum("/a/path" in message for message in caplog.messages) == 1, "said once"


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
async def test_damage_that_is_met_at_the_start_stops_no_answer(tmp_path: Path, kind: type[Service]) -> None:
    """A journal begins with what the store holds: it is read before the service says that it has started."""

    def damaged() -> None:
        raise StoreDamaged("page 3", "row", b"\xab")

    async with running(tmp_path, kind, damaged, journal=tmp_path / "journal") as (_, _, client):
        assert (await client.get("/ready")).status_code == 200
        for path in READS[kind]:
            await client.get(path)
        condition = await health(client, "store failing", 60)
        assert condition["sentence"] == "the store is damaged in the table row at the key ab"


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
async def test_an_outage_is_logged_when_it_begins_and_ends(
    tmp_path: Path, kind: type[Service], caplog: pytest.LogCaptureFixture
) -> None:
    def away() -> None:
        raise StoreError("driver's dump with /a/path")

    with caplog.at_level(logging.INFO, "lucid.store"):
        async with running(tmp_path, kind) as (service, store, client):
            store.trouble = away
            ticket = service.store.put([("row", b"a", b"1")])
            condition = await health(client, "store failing")
            assert "/a/path" not in str(condition) and condition["remedy"]
            for path in READS[kind]:
                with trio.fail_after(SOON_S):
                    assert (await client.get(path)).status_code in (200, 404, 503)
            await trio.sleep(2.2)
            store.trouble = lambda: None
            with trio.fail_after(30):
                await service.store.durable(ticket)
            assert service.store.trouble is None
    mine = [record.getMessage().split(":")[0] for record in caplog.records if record.name == "lucid.store"]
    assert mine == [
        "the store cannot be read or written",
        "the store can be used again",
    ]


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
async def test_it_stops_with_writes_that_find_no_room(tmp_path: Path, kind: type[Service]) -> None:
    def full() -> None:
        raise StoreFull("no room")

    async with running(tmp_path, kind) as (service, store, client):
        store.trouble = full
        service.store.put([("row", b"a", b"1")])
        assert (await health(client, "store failing"))["sentence"] == "the store has no room"


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
async def test_lost_pages_among_old_rows_keep_no_service_from_its_start(tmp_path: Path, kind: type[Service]) -> None:
    """As a card loses them: what needs none of these rows goes on."""
    async with running(tmp_path, kind) as (service, _, _):
        for table in ("aaa", "chunk"):
            await service.store.write([(table, number.to_bytes(32, "big"), OLD) for number in range(400)])
    path = tmp_path / f"{kind.listed.key}.sqlite"
    data = bytearray(path.read_bytes())
    for page in range(1, len(data) // PAGE_BYTES):
        if OLD[:200] in data[page * PAGE_BYTES : (page + 1) * PAGE_BYTES]:
            data[page * PAGE_BYTES] = 0
    path.write_bytes(data)
    async with running(tmp_path, kind) as (_, _, client):
        assert (await client.get("/ready")).status_code == 200
        await client.get("/health")


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
async def test_it_stops_while_it_still_starts(tmp_path: Path, kind: type[Service]) -> None:
    """The store was there to be opened, and hangs from then on."""
    release = threading.Event()
    key = ed25519_public_key(write_key(tmp_path / "node.key"))
    (tmp_path / "genesis.toml").write_text(print_genesis(Genesis(0, (GenesisNode(key, "pi"),))))
    service = kind(load_config({}, genesis=tmp_path / "genesis.toml", key=tmp_path / "node.key", data_dir=tmp_path))
    store = service.store.store = Wrapped(service.store.store)
    store.trouble = lambda: release.wait(60)
    stop = trio.Event()
    try:
        with trio.fail_after(30):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(nursery.start, service.run, stop)
                await trio.sleep(0.3)
                stop.set()
                await service.ended.wait()
    finally:
        release.set()
