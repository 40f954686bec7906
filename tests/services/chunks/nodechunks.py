"""A node's chunks under a folder and in its store, as a start of the data chain finds them, without HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import trio

from lucid.services.chunks.chunks import Chunks
from lucid.services.process.driver import clock_ms
from lucid.services.process.space import Space
from lucid.storage.durable import DurableStore
from lucid.storage.interface import Store
from lucid.storage.sqlite import SqliteStore


@asynccontextmanager
async def opened(
    folder: Path,
    now_ms: Callable[[], int] = clock_ms,
    quota: int = 0,
    make: Callable[[Path], Store] = SqliteStore,
) -> AsyncIterator[tuple[DurableStore, Chunks]]:
    """Store and chunks at a time, of `quota` bytes at most (0: as many as there is room for)."""
    with closing(make(folder / "data.sqlite")) as inner:
        store = DurableStore(inner)
        chunks = Chunks(folder / "chunks", store, Space(folder, folder / "ballast", quota, 0), now_ms)
        async with trio.open_nursery() as nursery:
            await nursery.start(store.run)
            nursery.start_soon(chunks.index.run)
            await chunks.adoption.take_in()
            yield store, chunks
            store.end()
            nursery.cancel_scope.cancel()
