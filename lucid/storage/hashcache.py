"""Hashes of chunks that were verified, kept in memory: of the segments of their trees, or of their pieces."""

from __future__ import annotations

import threading
from collections import OrderedDict

ENTRY_BYTES = 256
"""What an entry takes beside its hashes."""


class HashCache:
    """A chunk's size and hashes, for as many chunks as have room in `most` bytes; those that were not asked for longest
    go first. Used from any thread.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[bytes, tuple[int, bytes]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, chunk: bytes) -> tuple[int, bytes] | None:
        """A chunk's size and hashes, if they are still here."""
        with self._lock:
            found = self._kept.get(chunk)
            if found is not None:
                self._kept.move_to_end(chunk)
            return found

    def keep(self, chunk: bytes, size: int, hashes: bytes) -> None:
        """Keep what was verified: these are hashes of bytes whose tree has the chunk's id as its root."""
        with self._lock:
            if chunk not in self._kept:
                self._bytes += ENTRY_BYTES + len(hashes)
                self._kept[chunk] = size, hashes
            while self._bytes > self._most:
                _, (_, gone) = self._kept.popitem(last=False)
                self._bytes -= ENTRY_BYTES + len(gone)
