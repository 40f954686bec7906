"""A disk that other programs fill, and whoever looks at it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from lucid.services.process.space import Space
from lucid.services.process.storeroom import StoreRoom


def free(folder: Path) -> int:
    """What the disk itself says."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def fill(folder: Path, left: int) -> Path:
    """Another program's file that takes all but `left` bytes."""
    path = folder / "other"
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free(folder) - left)
    return path


@asynccontextmanager
async def looking(room: Space | StoreRoom) -> AsyncIterator[None]:
    """Within it the disk is looked at, again and again."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(room.run)
        yield
        nursery.cancel_scope.cancel()
