"""A stored chunk's file, opened and verified, to be read part by part."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar
from weakref import finalize

from lucid.chain.chunks import MAX_CHUNK_BYTES, SEGMENT_BYTES
from lucid.chain.errors import Code, LucidError
from lucid.chain.segments import proof_of_leaves
from lucid.services.chunks.remembered import Remembered
from lucid.services.process.disk import DiskFailed
from lucid.storage.chunkseal import seal_of
from lucid.storage.findings import ROTTEN
from lucid.storage.piecesums import PIECE_BYTES, PieceSums, SummingHasher, has_sum

PART_BYTES = PIECE_BYTES
"""How much of a chunk is in memory for each who reads it, where there is no room for more."""

T = TypeVar("T")


class ChunkDamaged(LucidError):
    """A stored chunk does not have its id any more."""

    def __init__(self) -> None:
        super().__init__(Code.CHUNK_CORRUPT)


class SegmentOfChunk(NamedTuple):
    """A segment of a chunk: the chunk's size, the segment's number, its bytes and its path to the chunk's id."""

    size: int
    number: int
    data: bytes
    path: tuple[bytes, ...]


class StoredChunk:
    """A chunk's open file. Each part that is read is verified by the sum of its piece, which was taken when the root of
    the tree over all of them was found to be the id.

    One who reads slowly holds a part of it in memory and not the whole, unless there is room: then what was read to be
    verified is what is handed out, and nothing is read twice.
    """

    def __init__(
        self, path: Path, chunk: bytes, remembered: Remembered, warm: bool = False, seal: bytes | None = None
    ) -> None:
        """Read it once, all of it, and verify it by what is known of it: its sums, its `seal`, or its tree. With `warm`
        it is not read where its sums are known: what is wrong with its bytes is found as they are read then. Raises
        `ChunkDamaged` and OSError."""
        self.chunk = chunk
        self._remembered = remembered
        self._held: list[bytes] = []
        # What others put in its place is not waited for, as a pipe would be, and not followed.
        self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        # An answer may be dropped before its first part is asked for, and while a thread hangs in it.
        finalize(self, os.close, self._file)
        found = os.fstat(self._file)
        if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_CHUNK_BYTES:
            raise ChunkDamaged
        known = remembered.sums.get(chunk) or remembered.sealed.get(chunk)
        self.size, self._sums = known or (found.st_size, b"")
        if known is None or not warm:
            self._verify(known is not None, found.st_size, seal)

    @property
    def seal(self) -> bytes:
        """What its seal is, by its sums."""
        return seal_of(self.size, self._sums)

    @property
    def held(self) -> bool:
        """Whether its bytes are in memory, verified."""
        return bool(self._held)

    def _verify(self, summed: bool, size: int, seal: bytes | None) -> None:
        """Read it and verify it; keep its bytes, if there is room for so many."""
        held: list[bytes] | None = None
        if self._remembered.take(size):
            finalize(self, self._remembered.give, size)
            held = []
        if summed:
            self._verify_sums(held)
        elif not self._has_seal(seal, held):
            if held is not None:
                held.clear()
            self._verify_tree(held)
        self._held = held or []

    def _verify_sums(self, held: list[bytes] | None) -> None:
        size = 0
        for number, piece in enumerate(self._pieces(held)):
            if not has_sum(piece, number, self._sums):
                raise ChunkDamaged
            size += len(piece)
        if size != self.size:
            raise ChunkDamaged

    def _has_seal(self, seal: bytes | None, held: list[bytes] | None) -> bool:
        """Whether it has the seal that it should; its sums are known then."""
        if seal is None:
            return False
        pieces, size = PieceSums(), 0
        for piece in self._pieces(held):
            pieces.update(piece)
            size += len(piece)
        sums = pieces.all()
        if seal_of(size, sums) != seal:
            return False
        self.size, self._sums = size, sums
        self._remembered.sealed.keep(self.chunk, size, sums)
        return True

    def _verify_tree(self, held: list[bytes] | None = None) -> bytes:
        """Returns the hashes of the segments."""
        hasher = SummingHasher()
        for piece in self._pieces(held):
            hasher.update(piece)
        if hasher.tree.id() != self.chunk:
            raise ChunkDamaged
        self.size, self._sums = hasher.tree.size, hasher.sums()
        self._remembered.keep(self.chunk, hasher)
        return hasher.tree.leaves()

    def _pieces(self, held: list[bytes] | None) -> Iterator[bytes]:
        """What the file has, up to more than a chunk may have."""
        number = 0
        while number * PART_BYTES <= MAX_CHUNK_BYTES and (piece := self._read_piece(number)):
            if held is not None:
                held.append(piece)
            yield piece
            number += 1

    def _read_piece(self, number: int) -> bytes:
        """A piece as the file has it now."""
        first = number * PART_BYTES
        piece = os.pread(self._file, PART_BYTES, first)
        while 0 < len(piece) < PART_BYTES and (
            more := os.pread(self._file, PART_BYTES - len(piece), first + len(piece))
        ):
            piece += more
        return piece

    def prove(self, number: int) -> SegmentOfChunk:
        """A segment and its path to the chunk's id. Raises `ChunkDamaged` and OSError, and IndexError."""
        known = self._remembered.trees.get(self.chunk)
        path = proof_of_leaves(self._verify_tree() if known is None else known[1], number)
        first = number * SEGMENT_BYTES
        return SegmentOfChunk(self.size, number, self.read(first, min(self.size, first + SEGMENT_BYTES)), path)

    def read(self, first: int, end: int) -> bytes:
        """The bytes from `first` to before `end`. Raises `ChunkDamaged` and OSError."""
        low, high = first // PART_BYTES, -(-end // PART_BYTES)
        data = b"".join([self._part(number) for number in range(low, high)])
        return data[first - low * PART_BYTES : end - low * PART_BYTES]

    def _part(self, number: int) -> bytes:
        if self._held:
            return self._held[number]
        part = self._read_piece(number)[: self.size - number * PART_BYTES]
        if not has_sum(part, number, self._sums):
            raise ChunkDamaged
        return part


def readable(read: Callable[..., T], *arguments: object) -> T:
    """What `read` finds in a chunk's file. Raises `ChunkDamaged`, and `DiskFailed` where it is not the file's fault."""
    try:
        return read(*arguments)
    except OSError as error:
        if error.errno in (errno.ENOENT, *ROTTEN):
            raise ChunkDamaged from None
        raise DiskFailed(f"a chunk cannot be read: {error}") from None
