"""Room for chunks: what they may take of the disk, so that the chain's own writes always find some."""

from __future__ import annotations

import errno
import logging
import math
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import trio

from lucid.chain.errors import Code, LucidError
from lucid.services.process.ballast import BALLAST_BYTES
from lucid.services.process.disk import DiskAway, DiskSlow
from lucid.services.web.health import STORE_FAILING, Condition

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the operating system says where there is no room."""
LOOK_S = 1.0
SLOW_S = 3.0
"""A disk that takes longer to say how full it is does not answer."""
WANTED_S = 60.0
"""How long what was refused for want of room is remembered."""
RESERVE_BYTES = 256 << 20
RESERVE_SHARE = 10
"""The reserve is this part of the disk at most: one in ten."""
MIB = 1 << 20

_log = logging.getLogger("lucid.space")


class NoRoom(LucidError):
    """Chunks may take no more of the disk."""

    def __init__(self, detail: str) -> None:
        super().__init__(Code.STORE_FULL, detail)


class Space:
    """The disk of the folder into which chunks come: `used` bytes of it are chunks', which have a `quota` (0: none);
    `reserve` bytes are not for them. `run` looks at it again and again, so that nobody has to ask the disk to know."""

    def __init__(self, folder: Path, ballast: Path, quota: int, reserve: int) -> None:
        self._folder = folder
        self._ballast = ballast
        self._quota = quota
        self._asked_reserve = reserve
        self.used = 0
        self.coming = 0
        """Bytes of chunks that are on their way: they are not `used` yet, and count towards the quota."""
        self.free = self.total = 0
        self._taken = 0
        """Bytes that chunks ever took here."""
        self._wanted = 0
        self._wanted_until_s = 0.0
        self._there: Callable[[], bool] = lambda: True
        self.away = False
        self._error: str | None = None
        self._asked_since_s = math.inf
        """Since when the disk is asked and has not answered."""
        self._look()

    def told_by(self, there: Callable[[], bool]) -> None:
        """What says from now on, from a worker thread, whether the folder is on its disk."""
        self._there = there
        self._note_whether(there())

    @property
    def reserve(self) -> int:
        """Bytes that chunks leave free."""
        share = self.total // RESERVE_SHARE
        return self._asked_reserve if self._asked_reserve >= 0 else min(RESERVE_BYTES, share)

    @property
    def room(self) -> int:
        """Bytes that chunks may still take, at most."""
        room = self.free - self.reserve
        return max(0, min(room, self._quota - self.used) if self._quota else room)

    @property
    def most(self) -> int:
        """Bytes that chunks may take in all, as far as nothing else fills the disk."""
        most = max(0, self.total - self.reserve)
        return min(most, self._quota) if self._quota else most

    @property
    def low(self) -> bool:
        """Whether there is no room for what was last refused, or none at all."""
        return self.away or self.room < max(self._wanted, 1)

    def check(self, more: int, size: int, take: bool = True) -> None:
        """Take `more` bytes of a chunk that has come to `size` bytes into account, until it has `landed`. Raises
        `NoRoom` and `DiskAway`."""
        if self.away:
            raise DiskAway
        if self.room < max(more, 1) or (self._quota and self.used + self.coming + more > self._quota):
            self._want(max(size, more, 1))
            raise NoRoom(self._numbers())
        if take:
            self.free -= more
            self._taken += more
            self.coming += more

    def landed(self, size: int) -> None:
        """So many bytes are not on their way any more: they are used, or were not kept."""
        self.coming -= size

    def _want(self, size: int) -> None:
        self._wanted = size
        self._wanted_until_s = time.monotonic() + WANTED_S

    def refused(self, error: OSError, size: int) -> bool:
        """Remember that a chunk could not be written; returns whether it is for want of room."""
        if error.errno in NO_ROOM:
            self._want(max(size, 1))
            self.free = min(self.free, self.reserve)
            return True
        self._error = error.strerror or type(error).__name__
        return False

    def condition(self) -> Condition | None:
        """Why chunks are not taken, if they are not."""
        if time.monotonic() - self._asked_since_s > SLOW_S:
            return Condition(STORE_FAILING, DiskSlow.sentence, "see that the disk works; it is asked again and again")
        if self.away:
            return Condition(STORE_FAILING, DiskAway.sentence, DiskAway.remedy)
        if self._error is not None:
            return Condition(
                STORE_FAILING, f"chunks cannot be written: {self._error}", "make the data folder writable again"
            )
        if self.low:
            return Condition(
                "disk low",
                f"there is no room for chunks: {self._numbers()}",
                "remove sessions that are not needed, or make room on the disk; what is held is served meanwhile",
            )
        return None

    def _numbers(self) -> str:
        quota = f", chunks take {mib(self.used)} of their {mib(self._quota)}" if self._quota else ""
        return f"{mib(self.free)} of {mib(self.total)} are free, {mib(self.reserve)} are kept for the chain{quota}"

    async def run(self) -> None:
        """Look at the disk, forever."""
        while True:
            self._asked_since_s = time.monotonic()
            await trio.to_thread.run_sync(self._look, abandon_on_cancel=True)
            self._asked_since_s = math.inf
            await trio.sleep(LOOK_S)

    def _look(self) -> None:
        before = self._taken
        self._note_whether(self._there())
        if self.away:
            return
        try:
            place = nearest(self._folder, self._ballast.parent)
            found = os.statvfs(place)
            writable = os.access(place, os.W_OK)
        except OSError as error:
            self._error = error.strerror
            return
        # This is a thread of its own: what was taken meanwhile is not on the disk yet.
        self.total, self.free = found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize - self._taken + before
        if self.room >= self._wanted or time.monotonic() > self._wanted_until_s:
            self._wanted = 0
        if self._error is not None:
            self._try()
        elif not writable:
            # A card with errors is made read-only by the system: nobody has to lose an upload to find out.
            self._error = os.strerror(errno.EROFS if found.f_flag & os.ST_RDONLY else errno.EACCES)
        if self.room > BALLAST_BYTES and not self._ballast.exists():
            self._fill()

    def _note_whether(self, there: bool) -> None:
        if self.away is there:
            self.away = not there
            if there:
                _log.info("no longer: %s", DiskAway.sentence)
            else:
                _log.warning("%s. To do: %s", DiskAway.sentence, DiskAway.remedy)

    def _try(self) -> None:
        """Whether a file can be written again where one could not."""
        path = self._folder / ".writable"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
            path.unlink()
        except OSError as error:
            self._error = error.strerror
        else:
            self._error = None

    def _fill(self) -> None:
        try:
            with self._ballast.open("xb") as file:
                os.posix_fallocate(file.fileno(), 0, BALLAST_BYTES)
            self.free -= BALLAST_BYTES
        except OSError:
            self.let_go()

    def let_go(self) -> None:
        """Give up the ballast: for what must be written now."""
        with suppress(OSError):
            self._ballast.unlink(missing_ok=True)


def nearest(folder: Path, root: Path) -> Path:
    """A folder below `root`, or while it is not there the nearest one around its place; `root` is the last of them."""
    return next(place for place in (folder, *folder.parents) if place == root or place.is_dir())


def mib(count: int) -> str:
    return f"{count / MIB:.1f} MiB"
