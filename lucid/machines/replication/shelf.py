"""What a machine of replication sees of the chunks at its node."""

from __future__ import annotations

from typing import Protocol


class ChunkShelf(Protocol):
    """Synchronous reads, as those of `Reader`: each sees what was stored before it. What is here is durable."""

    def kept(self, chunk: bytes) -> bool:
        """Whether a chunk is known here, sound or not."""

    def sound(self, chunk: bytes) -> bool:
        """Whether a chunk is here, as far as this node knows."""

    def offered(self, chunk: bytes) -> bool:
        """Whether a chunk is sound and was not let go: others should have it too."""

    def gone(self, chunk: bytes) -> bool:
        """Whether a chunk was removed here, once nobody needed it."""

    def page(self, start: bytes, limit: int) -> tuple[list[bytes], bytes]:
        """Those of the first `limit` chunks from `start` on that others should have too, in order (see `offered`), and
        where the next page begins (empty at the end)."""

    def faulty(self, after: bytes, limit: int) -> tuple[list[bytes], bytes]:
        """Those of the first `limit` chunks after that one that are missing or corrupted and were not let go, and the
        last one that was looked at (empty at the end)."""
