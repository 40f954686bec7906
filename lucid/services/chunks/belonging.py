"""What of a session belongs here, and what of that is here (protocol section 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from lucid.chain.transactions import MAX_RANGES, Ranges
from lucid.services.chunks.chaincopies import RulesInForce


class ChunkPlaces(RulesInForce, Protocol):
    """Who knows where chunks belong, and which are here."""

    key: bytes
    """This node's."""

    def wanted(self, chunk: bytes) -> tuple[bytes, ...]:
        """The nodes that should hold a chunk."""

    def sound(self, chunk: bytes) -> bool:
        """Whether a chunk is here, as far as this node knows; from a worker thread."""

    @property
    def connected(self) -> frozenset[bytes]:
        """The other nodes in reach."""


class Belonging(NamedTuple):
    """A session's list against what is here: which chunks are, how many belong here and are not, and the other nodes
    where some of it belongs."""

    chunks: int
    held: Ranges
    lacking: int
    others: frozenset[bytes]


def belonging(places: ChunkPlaces, ids: Sequence[bytes]) -> Belonging:
    """Of a session with these chunks; from a worker thread."""
    held, lacking, others = list[int](), 0, set[bytes]()
    for number, chunk in enumerate(ids):
        wanted = places.wanted(chunk)
        others.update(wanted)
        if places.sound(chunk):
            held.append(number)
        elif places.key in wanted:
            lacking += 1
    return Belonging(len(ids), ranges_of(held), lacking, frozenset(others - {places.key}))


def ranges_of(numbers: Sequence[int]) -> Ranges:
    """Ascending numbers as ranges, the first of them as far as a transaction has room for."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and sum(found[-1]) == number:
            found[-1] = found[-1][0], found[-1][1] + 1
        elif len(found) == MAX_RANGES:
            break
        else:
            found.append((number, 1))
    return tuple(found)
