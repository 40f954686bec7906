"""A store with one chunk in it, of several parts, for the tests that read it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from lucid.chain.chunks import chunk_id
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.storedchunk import PART_BYTES
from tests.services.chunks.fleets import body
from tests.services.chunks.nodechunks import opened

DATA = random.Random(1).randbytes(3 * PART_BYTES + 5_000)
CHUNK = chunk_id(DATA)
FILE = Path("chunks") / CHUNK.hex()[:2] / CHUNK.hex()


@asynccontextmanager
async def kept(folder: Path) -> AsyncIterator[Chunks]:
    """A store with the chunk in it."""
    async with opened(folder) as (_, chunks):
        await chunks.put(body(DATA), bytes(48), None)
        yield chunks


def rot(file: Path, at: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(b"rot")
