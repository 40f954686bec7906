"""A store with one chunk in it, of several parts, for the tests that read it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import trio

from lucid.chain.chunks import chunk_id
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.storedchunk import PART_BYTES
from lucid.services.process.space import Space
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore

DATA = random.Random(1).randbytes(3 * PART_BYTES + 5_000)
CHUNK = chunk_id(DATA)
FILE = Path("chunks") / CHUNK.hex()[:2] / CHUNK.hex()


async def upload(data: bytes) -> AsyncIterator[bytes]:
    yield data


@asynccontextmanager
async def kept(folder: Path) -> AsyncIterator[Chunks]:
    """A store with the chunk in it."""
    with closing(SqliteStore(folder / "data.sqlite")) as sqlite:
        store = DurableStore(sqlite)
        chunks = Chunks(folder / "chunks", store, Space(folder, folder / "ballast", 0, 0))
        async with trio.open_nursery() as nursery:
            await nursery.start(store.run)
            await chunks.put(upload(DATA), bytes(48), None)
            yield chunks
            store.end()
            nursery.cancel_scope.cancel()


def rot(file: Path, at: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(b"rot")
