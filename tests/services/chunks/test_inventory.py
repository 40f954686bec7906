"""A start looks at the folder and the store, and refuses a store that is not the folder's."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from lucid.storage.chunkfiles import ChunkFolder
from lucid.storage.errors import StoreOther
from lucid.storage.findings import Finding
from tests.services.chunks.dataservice import SESSION, place, running
from tests.services.chunks.fleets import body
from tests.services.chunks.nodechunks import opened
from tests.services.chunks.onechunk import CHUNK, DATA, FILE, kept


async def test_an_older_store_that_knows_far_less_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path):
        pass
    shutil.copy(tmp_path / "data.sqlite", tmp_path / "older")
    async with running(tmp_path) as (_, client):
        for number in range(10):
            data = bytes([number]) * 2_000
            assert (await client.put(place(data, SESSION), content=data)).status_code == 201
    shutil.copy(tmp_path / "older", tmp_path / "data.sqlite")
    with pytest.raises(StoreOther, match="knows 0 chunks"):
        async with running(tmp_path):
            pass
    assert len(list(ChunkFolder(tmp_path / "chunks").chunks())) == 10


async def test_a_power_cut_between_row_and_name_loses_no_chunk(tmp_path: Path) -> None:
    """They become durable together, in any order; the bytes were durable before both."""
    async with kept(tmp_path):
        pass
    (tmp_path / FILE).rename(tmp_path / "chunks" / "incoming" / ("a" * 32))
    (tmp_path / "chunks" / "incoming" / ("b" * 32)).write_bytes(DATA[:-1])
    async with opened(tmp_path) as (_, chunks):
        assert await chunks.inspection.check(CHUNK) == (Finding.SOUND, len(DATA))
        assert not list(chunks.folder.incoming.iterdir()), "the rest of uploads goes"


async def test_an_upload_of_no_row_or_of_a_chunk_that_is_there_goes(tmp_path: Path) -> None:
    async with kept(tmp_path) as chunks:
        left = chunks.folder.incoming / ("a" * 32)
    left.write_bytes(DATA)
    (tmp_path / "chunks" / "incoming" / ("b" * 32)).write_bytes(DATA[:5_000])
    async with opened(tmp_path) as (_, chunks):
        assert not left.exists() and [*chunks.folder.chunks()] == [CHUNK]


async def test_a_place_that_cannot_be_made_durable_is_no_success_and_still_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is there, and so is the file: whoever asks is told that it failed, and what is there is told."""

    def fails(self: ChunkFolder, chunk: bytes) -> None:
        raise OSError(errno.EIO, "Input/output error")

    async with opened(tmp_path) as (store, chunks):
        told: list[bytes] = []
        chunks.on_stored = told.append
        with monkeypatch.context() as patch:
            patch.setattr(ChunkFolder, "settle", fails)
            with pytest.raises(OSError, match="Input/output"):
                await chunks.put(body(DATA), bytes(48), CHUNK)
        assert not told and chunks.inventory.count == 1 and await store.read(chunks.rows.row, CHUNK) is not None
        assert await chunks.put(body(DATA), bytes(48), CHUNK) == (CHUNK, len(DATA), False)
        assert told == [CHUNK] and (chunks.inventory.count, chunks.inventory.space.used) == (1, len(DATA))
