"""A chunk on its way into a file: whatever the size of its parts, the file has its bytes and the id is theirs."""

from __future__ import annotations

import os
import random
import threading
from contextlib import closing
from pathlib import Path

import pytest

from lucid.chain.chunks import chunk_id
from lucid.services.chunks.upload import Upload
from lucid.services.process.disk import EARLY_BYTES, Disk
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore


@pytest.mark.parametrize("gathered", [0, 1, 5_000, 512 << 10])
async def test_parts_of_any_size_make_one_chunk(tmp_path: Path, gathered: int) -> None:
    chance, parts = random.Random(gathered), list[bytes]()
    for _ in range(40):
        parts.append(chance.randbytes(chance.choice((0, 1, 700, 4_096, 20_000))))
    whole, path = b"".join(parts), tmp_path / "upload"
    with closing(SqliteStore(tmp_path / "data.sqlite")) as sqlite:
        upload = Upload(Disk(DurableStore(sqlite)), path, gathered)
        for part in parts:
            await upload.add(part)
            kept = path.stat().st_size if path.exists() else 0
            assert upload.size - kept <= gathered, "more is in memory than there is room for"
        assert await upload.durable(None) == chunk_id(whole) and upload.size == len(whole) == upload.hasher.tree.size
    assert path.read_bytes() == whole


@pytest.mark.parametrize("expected", [None, chunk_id(b"words"), chunk_id(b"other")])
async def test_it_is_durable_once_all_of_it_is_written_and_has_its_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: bytes | None
) -> None:
    synced: list[int] = []
    with closing(SqliteStore(tmp_path / "data.sqlite")) as sqlite:
        upload = Upload(Disk(DurableStore(sqlite)), tmp_path / "upload", gathered=2)
        monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.fstat(file).st_size))
        await upload.add(b"word")
        await upload.add(b"s")
        assert not synced
        assert await upload.durable(expected) == chunk_id(b"words")
    assert synced == ([] if expected == chunk_id(b"other") else [len(b"words")])


async def test_of_a_large_one_the_last_piece_is_hashed_while_the_disk_makes_it_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = threading.Event()
    with closing(SqliteStore(tmp_path / "data.sqlite")) as sqlite:
        upload = Upload(Disk(DurableStore(sqlite)), tmp_path / "upload", gathered=EARLY_BYTES)
        monkeypatch.setattr(os, "fsync", lambda file: hashed.wait(120))
        last = Upload._hash_last

        def hash_last(self: Upload, data: memoryview) -> bytes:
            found = last(self, data)
            hashed.set()
            return found

        monkeypatch.setattr(Upload, "_hash_last", hash_last)
        data = bytes(2 * EARLY_BYTES)
        await upload.add(data)
        assert (tmp_path / "upload").stat().st_size == EARLY_BYTES, "the last piece waits for what follows"
        assert await upload.durable(None) == chunk_id(data) and hashed.is_set()
