"""A card that does not answer, or holds what is not a file: the data chain answers, says so, and stops when told to."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from lucid.services.chunks import storedchunk
from lucid.services.data import DataService
from lucid.services.process import disk
from tests.services.node.test_store_trouble import SESSION, health, running

SESSIONS = f"?session={SESSION}"


@pytest.fixture
def hung(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """What a call of the card waits for; given up after a second instead of many."""
    monkeypatch.setattr(disk, "DISK_S", 1.0)
    release = threading.Event()
    yield release
    release.set()


def waiting(release: threading.Event, call: object) -> object:
    """A call that waits."""

    def waits(*arguments: object, **named: object) -> object:
        release.wait(60)
        return call(*arguments, **named)  # type: ignore[operator]

    return waits


@pytest.mark.parametrize("place", ["__init__", "_read_piece"])
async def test_a_read_that_hangs_is_given_up(
    tmp_path: Path, hung: threading.Event, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    async with running(tmp_path, DataService) as (_, _, client):
        small = (await client.post(f"/store-data{SESSIONS}", content=secrets.token_bytes(2_000))).json()["id"]
        monkeypatch.setattr(storedchunk.StoredChunk, place, waiting(hung, getattr(storedchunk.StoredChunk, place)))
        statuses: list[int] = []

        async def get() -> None:
            statuses.append((await client.get(f"/chunks/{small}")).status_code)

        async with trio.open_nursery() as nursery:
            for _ in range(24):  # more than there are threads for them
                nursery.start_soon(get)
            await trio.sleep(0.2)
            with trio.fail_after(30):
                await client.get("/health")
        assert statuses == [503] * 24


@pytest.mark.parametrize("call", ["fsync", "replace", "open", "write"])
async def test_a_write_that_hangs_is_given_up_and_the_next_too(
    tmp_path: Path, hung: threading.Event, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    async with running(tmp_path, DataService) as (_, _, client):
        real = getattr(os, call)

        def hangs(*arguments: object, **named: object) -> object:
            if threading.current_thread() is not threading.main_thread():
                hung.wait(60)
            return real(*arguments, **named)

        monkeypatch.setattr(f"os.{call}", hangs)
        for _ in range(2):
            with trio.fail_after(30):
                answer = await client.post(f"/store-data{SESSIONS}", content=secrets.token_bytes(2_000))
                assert answer.status_code == 503, answer.text
            with trio.fail_after(30):
                await client.get("/health")


async def test_a_stop_does_not_wait_for_the_card(
    tmp_path: Path, hung: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "DISK_S", 60.0)
    async with trio.open_nursery() as nursery, running(tmp_path, DataService) as (_, _, client):
        answer = await client.post(f"/store-data{SESSIONS}", content=secrets.token_bytes(2_000))
        real = os.fsync

        def hangs(descriptor: int) -> None:
            if threading.current_thread() is not threading.main_thread():
                hung.wait(60)
            real(descriptor)

        monkeypatch.setattr("os.fsync", hangs)
        monkeypatch.setattr(storedchunk.StoredChunk, "_read_piece", waiting(hung, storedchunk.StoredChunk._read_piece))

        async def ask(method: str, path: str) -> None:
            assert (await client.request(method, path, content=secrets.token_bytes(2_000))).status_code == 503

        nursery.start_soon(ask, "POST", f"/store-data{SESSIONS}")
        nursery.start_soon(ask, "GET", f"/chunks/{answer.json()['id']}")
        await trio.sleep(0.3)


async def test_a_disk_that_does_not_answer_is_named(
    tmp_path: Path, hung: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, DataService) as (_, _, client):
        monkeypatch.setattr("os.statvfs", waiting(hung, os.statvfs))
        condition = await health(client, "store failing")
        assert condition["sentence"] == "the disk of the data folder does not answer"
        hung.set()
        with trio.fail_after(30):
            while (await client.get("/health")).json().get("conditions"):
                await trio.sleep(0.05)


@pytest.mark.parametrize("kind", ["fifo", "folder", "link", "loop", "device"])
async def test_what_is_no_file_in_a_chunk_s_place_is_a_damaged_chunk(tmp_path: Path, kind: str) -> None:
    async with running(tmp_path, DataService) as (_, _, client):
        content = secrets.token_bytes(2_000)
        chunk = (await client.post(f"/store-data{SESSIONS}", content=content)).json()["id"]
        place = tmp_path / "chunks" / chunk[:2] / chunk
        place.unlink()
        if kind == "fifo":
            os.mkfifo(place)
        elif kind == "folder":
            place.mkdir()
        else:
            place.symlink_to({"link": "/dev/zero", "loop": place, "device": "/dev/tty"}[kind])
        with trio.fail_after(30):
            for path in (f"/chunks/{chunk}", f"/chunks/{chunk}/proof"):
                answer = await client.get(path)
                assert answer.json()["error"]["code"] == "LUCID_ERR_6022", answer.text
            again = await client.post(f"/store-data{SESSIONS}", content=content)
        if kind != "folder" or again.status_code == 201:  # a folder is moved away first, when its turn comes
            assert (await client.get(f"/chunks/{chunk}")).content == content, "a new upload heals it"
