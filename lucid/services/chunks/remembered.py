"""What is remembered of chunks that were verified."""

from __future__ import annotations

import threading

from lucid.storage.hashcache import HashCache
from lucid.storage.piecesums import SummingHasher

MAX_TREE_BYTES = 4 << 20
"""Of hashes of segments in memory: those of half a gigabyte of chunks."""
MAX_SUM_BYTES = 4 << 20
"""Of sums of pieces in memory: those of some 25 GiB of chunks of 8 MiB."""
HELD_BYTES = 16 << 20
"""Of chunks that were verified and are handed out from memory: the largest one, or two of 8 MiB."""


class Remembered:
    """Their hashes and sums, and how much of them may be in memory. Used from any thread."""

    def __init__(self) -> None:
        self.trees = HashCache(MAX_TREE_BYTES)
        """The hashes of their segments, by which these are proven."""
        self.sums = HashCache(MAX_SUM_BYTES)
        """The sums of their pieces, by which what is read again is verified."""
        self.sealed = HashCache(MAX_SUM_BYTES)
        """The same of chunks that had their seal and whose tree this process has not looked at: good for readers, and
        no proof for the scrubber."""
        self._room = HELD_BYTES
        self._lock = threading.Lock()

    def keep(self, chunk: bytes, hasher: SummingHasher) -> None:
        """Remember a chunk whose id is the root of its tree."""
        self.trees.keep(chunk, hasher.tree.size, hasher.tree.leaves())
        self.sums.keep(chunk, hasher.tree.size, hasher.sums())

    def take(self, size: int) -> bool:
        """Take room for bytes of a chunk, if there is any."""
        with self._lock:
            fits = size <= self._room
            self._room -= size if fits else 0
            return fits

    def give(self, size: int) -> None:
        """Give room back."""
        with self._lock:
            self._room += size
