"""A disk without room: chunks leave the chain its reserve, what is held is served, and room is noticed by itself."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import trio

from harness.soak.asking import height, states
from lucid.chain.chunks import chunk_id
from lucid.services import data as data_module
from lucid.services.chunks.chunks import Chunks
from lucid.services.devnet import Devnet
from lucid.services.devnode import SERVICES, DevNode
from lucid.services.process.ballast import BALLAST_BYTES
from lucid.services.process.space import NoRoom, Space
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore
from tests.services.chunks.dataservice import SESSION, place, running
from tests.waiting import wait_until

MIB = 1 << 20


def fill(disk: Path, left: int = 0) -> Path:
    """Another program's file that takes all but `left` bytes."""
    found = os.statvfs(disk)
    path = disk / "other"
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, found.f_bavail * found.f_frsize - left))
    return path


async def conditions(client: httpx.AsyncClient) -> list[Any]:
    """The conditions of /health; there may be several of a full disk: for chunks, and once a write was tried."""
    return list((await client.get("/health")).json().get("conditions", []))


async def until(client: httpx.AsyncClient, state: str | None) -> Any:
    """Wait until /health names that state, or none."""
    with trio.fail_after(60):
        while True:
            found = await conditions(client)
            for each in found:
                if each["state"] == state:
                    return each
            if state is None and not found:
                return None
            await trio.sleep(0.05)


async def put(client: httpx.AsyncClient, data: bytes) -> httpx.Response:
    """Store a chunk."""
    return await client.put(place(data), content=data)


async def test_chunks_leave_the_reserve_and_room_is_noticed(disk: Path) -> None:
    async with running(disk) as (service, client):
        assert service.space.reserve == service.space.total // 10
        other = fill(disk, 3 * MIB)
        data = bytes(4 * MIB)
        response = await put(client, data)
        assert (response.status_code, response.json()["error"]["code"]) == (507, "LUCID_ERR_1102")
        low = await until(client, "disk low")
        assert (
            "MiB" in low["sentence"] and "of 12.0 MiB are free, 1.2 MiB are kept" in low["sentence"] and low["remedy"]
        )
        assert str(disk) not in str(low)
        other.unlink()
        await until(client, None)
        assert (await put(client, data)).status_code == 201
        sizes = []
        for number in range(20):
            body = bytes([number]) * MIB
            if (await put(client, body)).status_code == 201:
                sizes.append(len(body))
        found = os.statvfs(disk)
        assert len(sizes) < 8 and found.f_bavail * found.f_frsize >= service.space.reserve - MIB // 2
        await service.store.write([("row", b"chain", bytes(100_000))])


async def test_what_is_streamed_without_a_size_stops_at_the_reserve(disk: Path) -> None:
    async def parts() -> Any:
        for _ in range(11):
            yield bytes(MIB)

    async with running(disk) as (service, client):
        response = await client.post(f"/store-data?session={SESSION}", content=parts())
        assert response.status_code == 507
        await trio.sleep(0.05)
        assert not list(service.chunks.folder.incoming.iterdir())


async def test_delete_and_start_work_on_a_disk_that_is_really_full(disk: Path) -> None:
    data, kept = bytes(2 * MIB), bytes([1]) * MIB
    async with running(disk) as (_, client):
        for each in (data, kept):
            assert (await put(client, each)).status_code == 201
        with trio.fail_after(60):
            while not (disk / "data.ballast").exists():
                await trio.sleep(0.05)
    assert (disk / "data.ballast").stat().st_size == BALLAST_BYTES
    fill(disk)
    async with running(disk) as (_, client):
        await until(client, "disk low")
        assert (await client.get(place(kept))).content == kept, "reads are served"
        assert (await client.get("/ready")).status_code == 200
        with trio.fail_after(60):
            assert (await client.delete(place(data))).json() == {"id": chunk_id(data).hex(), "references": 0}
        found = os.statvfs(disk)
        assert found.f_bavail * found.f_frsize >= 2 * MIB, "its room is there at once"
        assert (await client.get(place(data))).status_code == 404


async def test_a_start_needs_no_room_at_all(disk: Path) -> None:
    """The ballast may be gone: used up by a start before, its room taken by whoever filled the disk."""
    kept, more = bytes([1]) * MIB, bytes([2]) * MIB
    async with running(disk) as (_, client):
        assert (await put(client, kept)).status_code == 201
    (disk / "data.ballast").unlink(missing_ok=True)
    other = fill(disk)
    async with running(disk) as (_, client):
        await until(client, "disk low")
        assert (await client.get(place(kept))).content == kept, "reads are served"
        assert (await put(client, more)).status_code == 507
        other.unlink()
        await until(client, None)
        assert (await put(client, more)).status_code == 201
    async with running(disk) as (_, client):
        assert (await client.get(place(more))).content == more, "and the next start is as any other"


async def test_a_removal_that_finds_no_byte_is_told_so_and_made_once_there_is_room(disk: Path) -> None:
    """Without ballast and without a byte not even a removal can be written down: its caller must not wait for that."""
    data = bytes(2 * MIB)
    async with running(disk) as (_, client):
        assert (await put(client, data)).status_code == 201
    (disk / "data.ballast").unlink(missing_ok=True)
    other = fill(disk)
    async with running(disk) as (service, client):
        await until(client, "disk low")
        with trio.fail_after(60):
            refused = await client.delete(place(data), timeout=60)
        assert (refused.status_code, refused.json()["error"]["code"]) == (507, "LUCID_ERR_1102")
        assert "the change waits" in refused.json()["error"]["message"]
        file = service.chunks.folder.place(chunk_id(data))
        assert file.exists(), "no bytes go before it is written down that they may"
        other.unlink()
        with trio.fail_after(60):
            while file.exists():
                await trio.sleep(0.05)
    async with running(disk) as (_, client):
        assert (await client.get(place(data))).status_code == 404


async def test_a_quota_bounds_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = data_module.DataService.__init__

    def limited(self: Any, config: Any) -> None:
        given(self, msgspec.structs.replace(config, chunk_quota_bytes=3 * MIB, disk_reserve_bytes=0))

    monkeypatch.setattr(data_module.DataService, "__init__", limited)
    async with running(tmp_path) as (_, client):
        chunks = [bytes([number]) * MIB for number in range(4)]
        assert [(await put(client, each)).status_code for each in chunks] == [201, 201, 201, 507]
        assert "chunks take 3.0 MiB of their 3.0 MiB" in (await until(client, "disk low"))["sentence"]
        assert (await client.delete(place(chunks[0]))).status_code == 200
        await until(client, None)
        assert (await put(client, chunks[3])).status_code == 201


async def test_a_quota_counts_what_is_on_its_way(tmp_path: Path) -> None:
    """However many come at once: none of them is used before its end."""
    space = Space(tmp_path, tmp_path / "ballast", quota=3 * MIB, reserve=0)
    with closing(SqliteStore(tmp_path / "store")) as inner:
        store = DurableStore(inner)
        chunks = Chunks(tmp_path / "chunks", store, space)
        begun, all_begun, refused = 0, trio.Event(), 0

        async def parts(number: int) -> AsyncGenerator[bytes, None]:
            nonlocal begun
            yield bytes([number]) * MIB
            begun += 1
            if begun == 3:
                all_begun.set()
            await all_begun.wait()
            yield bytes([number]) * MIB

        async def come(number: int) -> None:
            nonlocal refused
            try:
                async with aclosing(parts(number)) as given:
                    await chunks.put(given, bytes(48), None)
            except NoRoom:
                refused += 1

        async with trio.open_nursery() as nursery:
            await nursery.start(store.run)
            async with trio.open_nursery() as coming:
                for number in range(3):
                    coming.start_soon(come, number)
            nursery.cancel_scope.cancel()
    assert refused and space.used <= 3 * MIB and not space.coming


async def test_no_room_is_never_said_of_anything_else(tmp_path: Path) -> None:
    async with running(tmp_path) as (service, client):
        incoming = service.chunks.folder.incoming
        incoming.rmdir()
        assert (await put(client, bytes(5_000))).status_code == 201, "its folder is made again"
        incoming.rmdir()
        incoming.write_text("in its place")
        found = None
        with trio.fail_after(60):
            while found is None:  # a look at the folder, which can be written, may come between
                response = await put(client, bytes(6_000))
                assert (response.status_code, response.json()["error"]["code"]) == (503, "LUCID_ERR_1101")
                found = next(iter(await conditions(client)), None)
        assert found["state"] == "store failing" and "room" not in found["sentence"] and str(tmp_path) not in str(found)
        incoming.unlink()
        await until(client, None)
        assert (await put(client, bytes(6_000))).status_code == 201


def test_every_service_of_a_node_says_that_its_disk_is_full(disk: Path, tmp_path: Path) -> None:
    """Also one whose commit log has room of its own: it was begun before."""
    network = Devnet(disk, 1, 1_000)
    (node,) = network.nodes
    node.logs = tmp_path
    with network, httpx.Client(timeout=5.0) as client:
        wait_until(lambda: (height(client, node) or 0) > 8, "each store has begun its log")
        fill_up(disk / "other")
        for service in SERVICES:
            wait_until(partial(says_disk_low, client, node, service), f"{service} says so")
        (disk / "other").unlink()
        for service in SERVICES:
            await_answer(client, node, service, "health")


def test_every_service_of_a_node_starts_without_a_byte_of_room(disk: Path, tmp_path: Path) -> None:
    network = Devnet(disk, 1, 1_000)
    (node,) = network.nodes
    node.logs = tmp_path
    with network, httpx.Client(timeout=5.0) as client:
        fill_up(disk / "other")
        for service in SERVICES:
            node.processes[service].terminate()
            assert node.processes[service].wait(60) == 0
            fill_up(disk / "other")
            node.start(service)
            await_answer(client, node, service, "ready")
        (disk / "other").unlink()
        for service in SERVICES:
            await_answer(client, node, service, "health")


def says_disk_low(client: httpx.Client, node: DevNode, service: str) -> bool:
    """Whether a service names that state."""
    return "disk low" in states(client, node, service)


def fill_up(path: Path) -> None:
    """Have another program's file take what is left, while services still write."""
    with path.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4_096))


def await_answer(client: httpx.Client, node: DevNode, service: str, path: str) -> None:
    """Wait until a service answers that all is well."""
    deadline, answered = time.monotonic() + 120, 0
    while answered != 200:
        assert node.processes[service].poll() is None, node.last_words(service)
        assert time.monotonic() < deadline, f"{service}: {answered}"
        with suppress(httpx.TransportError):
            answered = client.get(f"{node.url(service)}/{path}").status_code
        time.sleep(0.1)
