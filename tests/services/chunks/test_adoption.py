"""Files in the chunk folder that no row knows: taken in, set aside, or left as they are."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from lucid.chain.chunks import chunk_id
from lucid.chain.codec import encode
from lucid.ledger.rowstore import Write
from lucid.services.chunks.adoption import Adoption
from lucid.services.chunks.faults import FAULT_TABLE, ChunkFault
from lucid.services.chunks.sweeper import KEPT_MS
from lucid.services.process.driver import clock_ms
from lucid.storage.chunkrow import CHUNK_TABLE, ChunkRow
from lucid.storage.durable import DurableStore
from lucid.storage.findings import Finding
from tests.services.chunks.dataservice import CHUNK, place, running


async def test_a_file_that_no_row_knows_is_taken_in_or_set_aside(tmp_path: Path) -> None:
    other = CHUNK + b"other"
    async with running(tmp_path) as (service, client):
        await client.put(place(CHUNK), content=CHUNK)
        good, bad = (service.chunks.folder.place(chunk_id(each)) for each in (other, other + b"?"))
        for path, data in ((good, other), (bad, b"these are other bytes" * 100)):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
    async with running(tmp_path) as (service, client):
        with trio.fail_after(60):
            while not service.chunks.inventory.quarantined:
                await trio.sleep(0.01)
        assert (await client.get(place(other))).content == other
        assert not bad.exists() and (tmp_path / "chunks" / "quarantine" / bad.name).exists()
        health = (await client.get("/health")).json()
        assert [each["state"] for each in health["conditions"]] == ["quarantine"]
        (tmp_path / "chunks" / "quarantine" / bad.name).unlink()
        with trio.fail_after(60):
            while (await client.get("/health")).status_code != 200:
                await trio.sleep(0.1)
        assert await service.chunks.sweeper.sweep(clock_ms() + 100 * KEPT_MS) == 0, "nobody let it go"


async def test_strays_are_named_once_and_left(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    strays = [Path("ab/.DS_Store"), Path("ab/X.bak"), Path("notes.txt"), Path("incoming/.rsync.tmp"), Path("ab/folder")]
    for stray in strays:
        (tmp_path / "chunks" / stray).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "chunks" / stray).touch() if stray.name != "folder" else (tmp_path / "chunks" / stray).mkdir()
    os.symlink("/dev/zero", tmp_path / "chunks" / "ab" / ("ab" * 32))
    with caplog.at_level(logging.WARNING, "lucid.chunks"):
        async with running(tmp_path) as (service, client):
            for _ in range(2):
                await service.chunks.sweeper.sweep(clock_ms())
                await service.chunks.adoption.take_in()
            assert (await client.get("/health")).status_code == 200
    assert all((tmp_path / "chunks" / stray).exists() for stray in strays)
    assert sum(".DS_Store" in message for message in caplog.messages) == 1


async def test_a_look_through_the_folder_and_one_for_copies_ask_the_store_for_no_single_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row each, of a database that takes a millisecond to answer, kept a core busy from 2,000 chunks on."""
    chunks = {chunk_id(data): data for data in (number.to_bytes(4, "big") for number in range(40))}
    ids = sorted(chunks)
    rows: list[Write] = [(CHUNK_TABLE, each, encode(ChunkRow(4, 0))) for each in ids[::2]]
    rows += [(CHUNK_TABLE, each, encode(ChunkRow(4, 9))) for each in ids[1:4:2]]
    rows += [(FAULT_TABLE, each, encode(ChunkFault(int(Finding.MISSING), 1))) for each in ids[4:7:2]]

    async def not_yet(self: Adoption) -> int:
        return 0

    # The service takes files in as it starts, and on a busy machine it does so while they are put there.
    monkeypatch.setattr(Adoption, "take_in", not_yet)
    async with running(tmp_path) as (service, _):
        await service.store.write(rows)
        for each in ids:
            service.chunks.folder.place(each).parent.mkdir(exist_ok=True)
            service.chunks.folder.place(each).write_bytes(chunks[each])  # so that a scrub finds nothing beside it

        looking, get = threading.local(), DurableStore.get

        def checked(store: DurableStore, table: str, key: bytes) -> bytes | None:
            assert not getattr(looking, "now", False), "a single row was asked for"
            return get(store, table, key)

        def look(read: Callable[..., Any], *given: object) -> Any:
            looking.now = True
            try:
                return read(*given)
            finally:
                looking.now = False

        monkeypatch.setattr(DurableStore, "get", checked)
        unknown = await service.store.read(look, service.chunks.adoption._unknown)
        page, following = await service.store.read(look, service.replication.shelf.page, b"", 9)
        last, end = await service.store.read(look, service.replication.shelf.page, following, 99)
        assert unknown == ids[5::2]
        assert following == ids[12] + b"\0" and not end
        offered = await service.store.read(lambda: [each for each in ids if service.replication.shelf.offered(each)])
        assert page + last == offered == [each for each in ids[::2] if each not in ids[4:7:2]]
