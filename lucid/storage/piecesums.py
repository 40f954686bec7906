"""Sums of a chunk's pieces: plain BLAKE3 of each 256 KiB, by which bytes that were verified once are known again.

A chunk's id is the root of a tree over segments of 4 KiB. Hashes of so little fill a quarter of a processor's lanes or
less, so the tree takes six times as long as the same bytes in one go. Whoever has verified a chunk by its tree takes
the sums of its pieces on the way; the same bytes read again then need only have these sums. It is the same proof: for
other bytes with the same sum, or the same tree, BLAKE3 would have to be broken.
"""

from __future__ import annotations

from blake3 import blake3

from lucid.chain.chunks import ChunkHasher
from lucid.chain.hashing import DIGEST_BYTES

PIECE_BYTES = 256 << 10


class PieceSums:
    """The sums of a chunk's pieces, whose bytes come in parts of any size."""

    def __init__(self) -> None:
        self._sums: list[bytes] = []
        self._piece = blake3()
        self._room = PIECE_BYTES
        """What the piece that has begun still lacks."""

    def update(self, data: bytes | memoryview) -> None:
        """Add the next bytes."""
        view = memoryview(data)
        while view:
            part, view = view[: self._room], view[self._room :]
            self._piece.update(part)
            self._room -= len(part)
            if not self._room:
                self._sums.append(self._piece.digest())
                self._piece, self._room = blake3(), PIECE_BYTES

    def all(self) -> bytes:
        """The sums of the pieces so far, one after the other."""
        rest = [self._piece.digest()] if self._room < PIECE_BYTES else []
        return b"".join([*self._sums, *rest])


class SummingHasher:
    """The tree of a chunk whose bytes come in parts of any size, and the sums of its pieces. `tree` and `pieces` may be
    given the same bytes by two threads."""

    def __init__(self) -> None:
        self.tree = ChunkHasher()
        self.pieces = PieceSums()

    def update(self, data: bytes | memoryview) -> None:
        """Add the next bytes to both."""
        self.tree.update(data)
        self.pieces.update(data)

    def sums(self) -> bytes:
        """The sums of the pieces so far, one after the other."""
        return self.pieces.all()


def has_sum(piece: bytes | memoryview, number: int, sums: bytes) -> bool:
    """Whether that piece of a chunk has these bytes."""
    return blake3(piece).digest() == sums[number * DIGEST_BYTES : (number + 1) * DIGEST_BYTES]
