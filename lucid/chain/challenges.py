"""Storage challenges: which segments a node shows of a session that it says it holds, and what shows them (section 5).

All of it follows from the beacon of the epoch's opening, which nobody knows before the epoch begins. A session is drawn
or not, and of one that is drawn each answer shows one segment of a chunk that is drawn among those held: with its path
to the chunk's id, and the id's path to the session's root, which is on the chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from msgspec import Meta

from lucid.chain.chunks import MAX_CHUNK_BYTES, SEGMENT_BYTES
from lucid.chain.codec import Record
from lucid.chain.fields import Natural
from lucid.chain.hashing import challenge_digest, chunk_tree_digest, session_tree_digest
from lucid.chain.merkle import verify_inclusion
from lucid.chain.votes import Hash

ANSWERS = 2
"""Segments of a proof: who holds a part of what it claims passes no more often than that part is large (section 11)."""
LOT_BITS = 64
"""Of a draw's hash eight bytes choose the chunk, and the next eight are the way to a segment (section 5, Storage)."""
DRAWN_SESSIONS = 32
"""So many of a node's sessions are drawn in an epoch, in the mean (section 5): 330 KiB of proofs on the chain, of 11
KiB each at most. All, if there are no more."""
MAX_SEGMENTS = MAX_CHUNK_BYTES // SEGMENT_BYTES
MAX_CHUNK_PATH = 20
"""Hashes on a path of a session of a million chunks: 2^20 is the first power of two above that (section 5, Storage)."""
MAX_SEGMENT_PATH = 12
"""Hashes on a path of a chunk of 16 MiB, which has 2^12 segments of 4 KiB (section 5, Storage)."""

ChunkPath = Annotated[tuple[Hash, ...], Meta(max_length=MAX_CHUNK_PATH)]
SegmentPath = Annotated[tuple[Hash, ...], Meta(max_length=MAX_SEGMENT_PATH)]
SegmentData = Annotated[bytes, Meta(max_length=SEGMENT_BYTES)]


class SegmentAnswer(Record):
    """One segment: the chunk's place in its session, its id and the path of that to the session's root; how many
    segments it has, which one this is, its bytes and their path to the id."""

    place: Natural
    chunk: Hash
    chunk_path: ChunkPath
    segments: Natural
    segment: Natural
    data: SegmentData
    path: SegmentPath

    @property
    def in_bounds(self) -> bool:
        """Whether it is such that a chunk can have it; every segment but the last is whole."""
        # Bounds before paths: a path does not authenticate the size of its tree (section 2, Merkle trees).
        if not 0 <= self.segment < self.segments <= MAX_SEGMENTS:
            return False
        return len(self.data) == SEGMENT_BYTES or (self.segment == self.segments - 1 and len(self.data) > 0)

    def leads_to(self, root: bytes, chunks: int) -> bool:
        """Whether its paths lead to the root of a session of so many chunks."""
        return verify_inclusion(
            self.data, self.segment, self.segments, self.path, self.chunk, chunk_tree_digest
        ) and verify_inclusion(self.chunk, self.place, chunks, self.chunk_path, root, session_tree_digest)


class Draw(NamedTuple):
    """What one answer is to show: a chunk by its place in the session, and a segment by a lot.

    Nobody but those who hold a chunk knows how many segments it has, so the lot is a way down its tree: each bit says
    on which side it goes on. Whatever size is said, one segment is there where that way ends. A number modulo the size
    would be drawn by who says the size: one segment of each chunk would do for most lots.
    """

    place: int
    lot: int

    def segment(self, segments: int) -> int:
        """The number of the segment, of a chunk that has so many."""
        first, lot = 0, self.lot
        while segments > 1:
            left = 1 << (segments - 1).bit_length() - 1  # where RFC 9162 splits a tree
            right, lot = lot >> LOT_BITS - 1 & 1, lot << 1
            first, segments = (first + left, segments - left) if right else (first, left)
        return first


def challenge_seed(beacon: bytes, node: bytes, session: bytes, owner: bytes) -> bytes:
    """32 bytes that are another for each epoch's beacon, node and session."""
    return challenge_digest(beacon + node + session + owner)


def one_in(sessions: int) -> int:
    """Of a node that said it holds so many sessions, one in how many is drawn."""
    return max(1, -(-sessions // DRAWN_SESSIONS))


def is_drawn(seed: bytes, one: int) -> bool:
    """Whether a session is among those drawn, of which there are one in so many."""
    # Of the seed, not of the draw: whether a session is drawn says nothing of what would be shown.
    return int.from_bytes(seed[:8], "big") % one == 0


def draws(seed: bytes, ranges: Sequence[tuple[int, int]]) -> tuple[Draw, ...]:
    """What a proof is to show of the held ranges, which are not empty.

    The first way down a chunk begins to the left, where the larger part is: else who has its end alone, which may be
    short, would pass half of the time.
    """
    held = sum(count for _, count in ranges)
    found = []
    for number in range(ANSWERS):
        lot = challenge_digest(seed + bytes([number]))
        # 64 bits modulo a million: the bias is below one in 10^13.
        place = _nth(ranges, int.from_bytes(lot[:8], "big") % held)
        way = int.from_bytes(lot[8:16], "big")
        found.append(Draw(place, way if number else way & (1 << LOT_BITS - 1) - 1))
    return tuple(found)


def _nth(ranges: Sequence[tuple[int, int]], number: int) -> int:
    for first, count in ranges:
        if number < count:
            return first + number
        number -= count
    raise AssertionError("no more are drawn than are held")
