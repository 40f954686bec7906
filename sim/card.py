"""Chunks on a simulated node's card: which it should hold, of how many bytes, and what became of each."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort


class Card:
    """See `ChunkShelf`, too. A node believes what it holds until it looks."""

    def __init__(self) -> None:
        self._sizes: dict[bytes, int] = {}
        self._damaged: set[bytes] = set()
        """Those that are lost or are not their bytes any more, known or not."""
        self._faulty: set[bytes] = set()
        """Those of them that the node knows of."""
        self._order: list[bytes] = []

    # -- what the node sees --------------------------------------------------------------------------------------

    def kept(self, chunk: bytes) -> bool:
        """See `ChunkShelf`."""
        return chunk in self._sizes

    def sound(self, chunk: bytes) -> bool:
        """See `ChunkShelf`."""
        return chunk in self._sizes and chunk not in self._faulty

    def offered(self, chunk: bytes) -> bool:
        """See `ChunkShelf`: here nothing is let go."""
        return self.sound(chunk)

    def gone(self, chunk: bytes) -> bool:
        """See `ChunkShelf`."""
        return False

    def page(self, start: bytes, limit: int) -> tuple[list[bytes], bytes]:
        """See `ChunkShelf`."""
        first = bisect_left(self._order, start)
        rows = self._order[first : first + limit]
        sound = [chunk for chunk in rows if chunk not in self._faulty]
        return sound, rows[-1] + b"\x00" if len(rows) == limit else b""

    def faulty(self, after: bytes, limit: int) -> tuple[list[bytes], bytes]:
        """See `ChunkShelf`."""
        known = sorted(self._faulty)
        rows = known[bisect_right(known, after) :][:limit]
        return rows, rows[-1] if len(rows) == limit else b""

    # -- what is so ----------------------------------------------------------------------------------------------

    def size(self, chunk: bytes) -> int:
        """The bytes of a chunk that should be here."""
        return self._sizes[chunk]

    def intact(self, chunk: bytes) -> bool:
        """Whether a chunk's bytes are here, as they should be."""
        return chunk in self._sizes and chunk not in self._damaged

    def chunks(self) -> list[bytes]:
        """The chunks that should be here, in order."""
        return list(self._order)

    def keep(self, chunk: bytes, size: int) -> None:
        """A chunk is written, verified and durable."""
        if chunk not in self._sizes:
            insort(self._order, chunk)
        self._sizes[chunk] = size
        self._damaged.discard(chunk)
        self._faulty.discard(chunk)

    def damage(self, chunk: bytes) -> None:
        """A chunk's file is lost, or rots."""
        self._damaged.add(chunk)

    def doubt(self, chunk: bytes) -> None:
        """The node looks at a chunk that it should hold."""
        if chunk in self._damaged:
            self._faulty.add(chunk)

    def scrub(self) -> None:
        """The node looks at all of them."""
        self._faulty |= self._damaged
