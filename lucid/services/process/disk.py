"""The calls of a disk, in threads of their own: whoever asks gives up on one that hangs, and so does a stop.

A thread that hangs goes on when the disk does, whoever gave up on it: what it does then must be harmless.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar
from weakref import finalize

import trio

from lucid.chain.errors import LucidError
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreError

DISK_S = 20.0
"""How long a call of the disk may take, with its wait for a thread: a slow card is not one that hangs."""
THREADS = 16
"""Calls at once. Those that hang keep theirs; the store's threads, and those of other services, are not among them."""
EARLY_BYTES = 256 << 10
"""So much of a file that has not ended yet may go to the disk; less is written with what follows."""

T = TypeVar("T")


class DiskFailed(StoreError):
    """The disk cannot do what it must."""

    sentence = "the disk of the data folder cannot be read or written"


class DiskSlow(DiskFailed):
    """The disk did not answer in time."""

    sentence = "the disk of the data folder does not answer"

    def __init__(self) -> None:
        super().__init__(self.sentence)


class DiskAway(DiskFailed):
    """The folder is not on its disk."""

    sentence = "the disk of the chunks is not mounted, or another one is"
    remedy = (
        "mount it: nothing is lost, and nothing is written beneath it meanwhile; if it is gone permanently, stop the "
        "service, run `lucid store adopt STORE`, and start it again: other nodes have copies"
    )

    def __init__(self) -> None:
        super().__init__(self.sentence)


class Disk:
    """The disk of a folder, which is `there` or not. A process that stops, which `store` knows, waits for no call."""

    def __init__(self, store: DurableStore, there: Callable[[], bool] = lambda: True) -> None:
        self._store = store
        self._there = there
        self._limiter = trio.CapacityLimiter(THREADS)

    async def call(self, work: Callable[..., T], *arguments: object, limiter: trio.CapacityLimiter | None = None) -> T:
        """What `work` returns or raises. Raises `DiskSlow` after `DISK_S`, and when the process stops; `DiskAway`."""
        with self._store.asked(DISK_S, DiskSlow):
            return await trio.to_thread.run_sync(
                self._work, work, arguments, abandon_on_cancel=True, limiter=limiter or self._limiter
            )
        raise AssertionError("asked() raises where it cuts something off")

    @asynccontextmanager
    async def beside(self, work: Callable[..., object], *arguments: object) -> AsyncIterator[None]:
        """Have `work` done while the block runs, and wait for both. Raises what the block does, else as `call` does."""
        raised: list[Exception] = []

        async def noting() -> None:
            try:
                await self.call(work, *arguments)
            except (OSError, LucidError) as error:
                raised.append(error)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(noting)
            try:
                yield
            except Exception as error:  # what leaves a nursery may come in a group
                raised.insert(0, error)
        if raised:
            raise raised[0]

    async def acquire(self, lock: trio.Lock) -> None:
        """Take a lock whose holder may wait for the disk. Raises `DiskSlow`."""
        with self._store.asked(DISK_S, DiskSlow):
            await lock.acquire()

    async def finish(self, work: Callable[..., T], *arguments: object) -> T:
        """The same without a bound: for what may not go on behind the back of whoever holds a lock for it."""
        with self._store.asked(float("inf"), DiskSlow):
            return await trio.to_thread.run_sync(
                self._work, work, arguments, abandon_on_cancel=True, limiter=self._limiter
            )
        raise AssertionError("asked() raises where it cuts something off")

    def _work(self, work: Callable[..., T], arguments: tuple[object, ...]) -> T:
        """Do it where the disk is there before and after: what is found beneath it is none of its files."""
        if not self._there():
            raise DiskAway
        try:
            found = work(*arguments)
        except (OSError, LucidError):
            if not self._there():
                raise DiskAway from None
            raise
        if not self._there():
            raise DiskAway
        return found


class NewFile:
    """A file that is written to. It is closed when nothing uses it any more, a thread that hangs included: its number
    could be that of another file by then."""

    def __init__(self, path: Path) -> None:
        """Make it. Raises OSError where there is one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        finalize(self, os.close, self._file)
        self._size = 0

    def write(self, data: bytes | memoryview) -> None:
        """Add bytes, all of them. Raises OSError."""
        left = memoryview(data)
        while left:
            left = left[os.write(self._file, left) :]
        if len(data) >= EARLY_BYTES:
            # What is said not to be needed is written to the disk from now on, and not only once it is waited for.
            # It stays in memory, since it is not written yet.
            os.posix_fadvise(self._file, self._size, len(data), os.POSIX_FADV_DONTNEED)
        self._size += len(data)

    def sync(self) -> None:
        """Make them durable. Raises OSError."""
        os.fsync(self._file)
