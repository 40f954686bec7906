"""A chunk folder whose disk goes away and comes back: noticed, told, nothing lost, and nothing written beneath it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
import trio

from lucid.chain.chunks import chunk_id
from lucid.chain.codec import encode
from lucid.services.chunks.foldermark import FolderMark
from lucid.services.process.disk import DiskAway
from lucid.storage.chunkfiles import ChunkFolder
from lucid.storage.chunkrow import CHUNK_TABLE, ChunkRow
from lucid.storage.identity import adopt
from lucid.storage.sqlite import SqliteStore
from tests.services.chunks.dataservice import fill, place, running
from tests.waiting import until

BODIES = [bytes([number]) * 5_000 for number in range(4)]
IDS = [chunk_id(data).hex() for data in BODIES]


@contextmanager
def unmounted(folder: Path) -> Iterator[None]:
    """As where the disk of a folder is not mounted: an empty folder is in its place."""
    disk = folder.with_name("disk")
    folder.rename(disk)
    folder.mkdir()
    yield
    assert list(folder.iterdir()) == [], "nothing is written beneath"
    folder.rmdir()
    disk.rename(folder)


async def health(client: httpx.AsyncClient) -> list[str]:
    """What is wrong by the service's own word."""
    found = (await client.get("/health")).json()
    return [each["sentence"] for each in found.get("conditions", ()) if each["remedy"]]


async def assert_away(client: httpx.AsyncClient) -> None:
    """What needs the disk is refused with the reason, and no chunk is called lost for it."""
    assert await health(client) == [DiskAway.sentence]
    asked = (
        ("GET", f"/chunks/{IDS[0]}"),
        ("POST", f"/chunks/{IDS[1]}/verify"),
        ("PUT", place(bytes(3_000))),
        ("DELETE", place(BODIES[2])),
    )
    for method, path in asked:
        content = bytes(3_000) if method == "PUT" else None
        refused = await client.request(method, path, content=content)
        assert refused.status_code == 503 and DiskAway.sentence in refused.text, (method, refused.text)
    assert (await client.get("/status")).json()["missing"] == 0


@pytest.mark.parametrize("begin_away", [False, True])
async def test_a_disk_that_goes_away_is_told_and_all_is_well_when_it_is_back(
    tmp_path: Path, begin_away: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path) as (service, client):
        await fill(client, BODIES)
        if not begin_away:
            with unmounted(tmp_path / "chunks"):
                assert (await client.get(f"/chunks/{IDS[3]}")).status_code == 503, "before it is noticed too"
                await until(lambda: service.space.away)
                await assert_away(client)
            await until(lambda: not service.space.away)
            await assert_well(client)
            assert sum(DiskAway.sentence in said for said in caplog.messages if "To do" in said) == 1, "said once"
            return
    with unmounted(tmp_path / "chunks"):
        async with running(tmp_path) as (service, client):
            await assert_away(client)
    async with running(tmp_path) as (service, client):
        await assert_well(client)


async def assert_well(client: httpx.AsyncClient) -> None:
    """All chunks are there, and further ones are taken."""
    assert await health(client) == []
    for chunk, data in zip(IDS, BODIES, strict=True):
        assert (await client.get(f"/chunks/{chunk}")).content == data
    assert (await client.put(place(bytes(3_000)), content=bytes(3_000))).status_code == 201
    assert (await client.get("/status")).json()["missing"] == 0


def store_of(path: Path, chunks: bool) -> SqliteStore:
    """A data chain's store, which knows a chunk or none."""
    store = SqliteStore(path)
    if chunks:
        store.write([(CHUNK_TABLE, bytes.fromhex(IDS[0]), encode(ChunkRow(5_000, 0)))])
    return store


def put_file(folder: ChunkFolder) -> None:
    """The file of that chunk."""
    folder.place(bytes.fromhex(IDS[0])).parent.mkdir(parents=True)
    folder.place(bytes.fromhex(IDS[0])).write_bytes(BODIES[0])


def test_a_store_that_knows_chunks_gives_no_mark_to_a_folder_that_has_none(tmp_path: Path) -> None:
    folder = ChunkFolder(tmp_path / "chunks")
    with closing(store_of(tmp_path / "store", chunks=True)) as store:
        assert FolderMark(folder, store).there() and not folder.mark.exists(), "not known: as it was before"
        put_file(folder)
        mark = FolderMark(folder, store)
        assert mark.there() and folder.mark.exists()


def test_a_mark_that_is_lost_alone_is_made_again_and_another_is_another_disk(tmp_path: Path) -> None:
    folder = ChunkFolder(tmp_path / "chunks")
    put_file(folder)
    with closing(store_of(tmp_path / "store", chunks=True)) as store:
        before = FolderMark(folder, store).there() and folder.mark.read_bytes()
        folder.mark.unlink()
        assert FolderMark(folder, store).there() and folder.mark.read_bytes() == before
        folder.mark.write_text("ab" * 16)
        assert not FolderMark(folder, store).there() and folder.mark.read_text() == "ab" * 16


def test_a_store_that_began_empty_finds_its_chunks_when_the_mark_is_lost(tmp_path: Path) -> None:
    folder = ChunkFolder(tmp_path / "chunks")
    with closing(store_of(tmp_path / "store", chunks=False)) as store:
        mark = FolderMark(folder, store)
        put_file(folder)
        store.write([(CHUNK_TABLE, bytes.fromhex(IDS[0]), encode(ChunkRow(5_000, 0)))])
        before = folder.mark.read_bytes()
        folder.mark.unlink()
        assert mark.there() and folder.mark.read_bytes() == before


def test_a_store_that_lets_go_of_its_folder_takes_the_next_one(tmp_path: Path) -> None:
    with closing(store_of(tmp_path / "store", chunks=False)) as store:
        first, second = ChunkFolder(tmp_path / "one"), ChunkFolder(tmp_path / "two")
        assert FolderMark(first, store).there()
        assert not FolderMark(second, store).there() and not second.path.exists()
        assert adopt(store)
        assert FolderMark(second, store).there() and second.mark.exists()
        assert not FolderMark(first, store).there()


def test_where_nothing_can_be_written_nothing_is_doubted(tmp_path: Path) -> None:
    (tmp_path / "chunks").write_text("no folder")
    with closing(store_of(tmp_path / "store", chunks=False)) as store:
        assert FolderMark(ChunkFolder(tmp_path / "chunks"), store).there()


def test_what_reads_the_folder_does_not_take_the_mark_for_a_stray(tmp_path: Path) -> None:
    folder = ChunkFolder(tmp_path / "chunks")
    with closing(store_of(tmp_path / "store", chunks=False)) as store:
        assert FolderMark(folder, store).there()
    assert list(folder.strays()) == [] == list(folder.chunks())


async def test_a_store_that_came_from_a_copy_takes_the_folder_as_it_is(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, client):
        await fill(client, BODIES)
    with closing(SqliteStore(tmp_path / "data.sqlite")) as store:
        store.backup(tmp_path / "copy")
    (tmp_path / "copy").replace(tmp_path / "data.sqlite")
    async with running(tmp_path) as (service, client):
        assert not service.space.away and await health(client) == []
        with unmounted(tmp_path / "chunks"):
            with trio.fail_after(60):
                await until(lambda: service.space.away)
