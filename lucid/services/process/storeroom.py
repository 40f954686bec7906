"""Whether the disk of a store has room left."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import trio

from lucid.services.process.space import mib
from lucid.services.web.health import Condition

STORE_ROOM_BYTES = 1 << 20
"""A store's disk with less is reported, although the store's commit log has room of its own for some blocks more."""
STORE_LOOK_S = 5.0


class StoreRoom:
    """Whether the disk of a store has room left; `run` looks at it again and again.

    Writes tell it too late: a commit log is as large from its beginning as it ever gets, so that it goes on for
    minutes on a disk that is full."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._free: int | None = None

    def condition(self) -> Condition | None:
        """That there is hardly any room, if so."""
        if self._free is None or self._free >= STORE_ROOM_BYTES:
            return None
        return Condition(
            "disk low",
            f"the store's disk has {mib(self._free)} left",
            "make room on the disk; what the store has set aside lasts for some blocks",
        )

    async def run(self) -> None:
        """Look at the disk, forever."""
        while True:
            with suppress(OSError):  # a disk that cannot be asked is the store's trouble, which says so
                found = await trio.to_thread.run_sync(os.statvfs, self._folder, abandon_on_cancel=True)
                self._free = found.f_bavail * found.f_frsize
            await trio.sleep(STORE_LOOK_S)
