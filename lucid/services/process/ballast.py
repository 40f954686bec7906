"""The ballast of a disk: room that is let go where even the store has none."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path

BALLAST_BYTES = 512 << 10
"""A file that is let go when even the store has no room: to begin, and to write down what makes room."""


_log = logging.getLogger("lucid.space")


def make_way(folder: Path, ballast: Path) -> None:
    """Let the ballast go where a store could not even be opened for want of room."""
    with suppress(OSError):
        found = os.statvfs(folder)
        if found.f_bavail * found.f_frsize < BALLAST_BYTES and ballast.exists():
            _log.warning("the disk is full: what was kept for that is let go")
            ballast.unlink()
