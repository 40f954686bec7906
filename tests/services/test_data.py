"""The data chain's service over real sockets: alone with its folder, and with many clients at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from lucid.services.process.config import ConfigError
from tests.services.chunks.dataservice import place, running


async def test_a_folder_has_one_process_at_a_time(tmp_path: Path) -> None:
    async with running(tmp_path):
        with pytest.raises(ConfigError, match="another process"):
            async with running(tmp_path):
                pass
    async with running(tmp_path):
        pass


async def test_many_uploads_at_once(tmp_path: Path) -> None:
    chunks = [bytes([number]) * 5_000 for number in range(20)]
    async with running(tmp_path) as (_, client):

        async def upload(data: bytes) -> None:
            assert (await client.put(place(data), content=data)).status_code == 201

        async with trio.open_nursery() as nursery:
            for data in chunks * 2:
                nursery.start_soon(upload, data)
        for data in chunks:
            assert (await client.get(place(data))).content == data
