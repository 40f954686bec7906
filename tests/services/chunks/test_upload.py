"""A chunk on its way into a file: whatever the size of its parts, the file has its bytes and the id is theirs."""

from __future__ import annotations

import os
import random
from contextlib import closing
from pathlib import Path

import pytest

from lucid.chain.chunks import chunk_id
from lucid.services.chunks.upload import Upload
from lucid.services.process.disk import Disk
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore


@pytest.mark.parametrize("gathered", [0, 1, 5_000, 512 << 10])
async def test_parts_of_any_size_make_one_chunk(tmp_path: Path, gathered: int) -> None:
    chance, parts = random.Random(gathered), list[bytes]()
    for _ in range(40):
        parts.append(chance.randbytes(chance.choice((0, 1, 700, 4_096, 20_000))))
    whole = b"".join(parts)
    with closing(SqliteStore(tmp_path / "data.sqlite")) as sqlite:
        upload = Upload(Disk(DurableStore(sqlite)), gathered)
        await upload.begin(tmp_path / "upload")
        for part in parts:
            await upload.add(part)
            kept = (tmp_path / "upload").stat().st_size
            assert upload.size - kept < max(1, gathered), "more is in memory than there is room for"
        assert await upload.written() == chunk_id(whole) and upload.size == len(whole) == upload.hasher.size
        await upload.synced()
    assert (tmp_path / "upload").read_bytes() == whole


async def test_nothing_is_durable_before_all_of_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.fstat(file).st_size))
    with closing(SqliteStore(tmp_path / "data.sqlite")) as sqlite:
        upload = Upload(Disk(DurableStore(sqlite)))
        await upload.begin(tmp_path / "upload")
        await upload.add(b"words")
        with pytest.raises(AssertionError):
            await upload.synced()
        await upload.written()
        await upload.synced()
    assert synced[0] == len(b"words")
