"""A start looks at the folder and the store, and refuses a store that is not the folder's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lucid.storage.chunkfiles import ChunkFolder
from lucid.storage.interface import StoreOther
from tests.services.chunks.dataservice import SESSION, place, running


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
