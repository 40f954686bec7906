"""Chunks: their ids and sizes, and the root of a session of them (protocol section 8)."""

from __future__ import annotations

from collections.abc import Sequence

from lucid.chain.hashing import chunk_tree_digest, chunk_tree_digests, session_tree_digest
from lucid.chain.merkle import (
    leaf_hash,
    leaf_hashes,
    root,
    root_of_hashes,
)

SEGMENT_BYTES = 4_096
"""A leaf of a chunk's tree, and what a proof of possession shows (protocol section 8)."""
MIN_CHUNK_BYTES = 1_024
"""The least that a chunk has (protocol section 8)."""
MAX_CHUNK_BYTES = 16 << 20
"""The most that a chunk has (protocol section 8)."""


class ChunkHasher:
    """The id of a chunk whose bytes come in parts of any size; `size` counts them."""

    def __init__(self) -> None:
        self.size = 0
        self._rest = b""
        self._hashes: list[bytes] = []

    def update(self, data: bytes | memoryview) -> None:
        """Add the next bytes."""
        self.size += len(data)
        view = memoryview(data)
        # Leaves are whole segments, in whatever parts the bytes come: the id depends on the bytes alone.
        if self._rest:
            lacking = SEGMENT_BYTES - len(self._rest)
            self._rest += view[:lacking]
            if len(self._rest) < SEGMENT_BYTES:
                return
            self._hashes.append(leaf_hash(self._rest, chunk_tree_digest))
            view = view[lacking:]
        whole = len(view) - len(view) % SEGMENT_BYTES
        self._hashes += leaf_hashes(view[:whole], SEGMENT_BYTES, chunk_tree_digests)
        self._rest = bytes(view[whole:])

    def id(self) -> bytes:
        """The 32-byte id of the bytes so far."""
        return root_of_hashes(self._leaves(), chunk_tree_digest)

    def leaves(self) -> bytes:
        """The hashes of the segments so far, one after the other: by these each segment is verified alone."""
        return b"".join(self._leaves())

    def _leaves(self) -> list[bytes]:
        rest = [leaf_hash(self._rest, chunk_tree_digest)] if self._rest else []
        return [*self._hashes, *rest]


def chunk_id(data: bytes) -> bytes:
    """The id of a chunk: the root of the tree over its segments."""
    hasher = ChunkHasher()
    hasher.update(data)
    return hasher.id()


def session_root(chunks: Sequence[bytes]) -> bytes:
    """A session's Merkle root: over its chunk ids in order."""
    return root(chunks, session_tree_digest)
