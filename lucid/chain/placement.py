"""Where copies of a chunk belong: weighted rendezvous hashing over the registered nodes (protocol section 8)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lucid.chain.fields import Natural
from lucid.chain.hashing import DIGEST_BYTES, placement_lots

REPLICATION_FACTOR = 3
"""Copies of a chunk until administrators set another number (section 8, Placement); where there are fewer nodes, each
has one."""
MAX_REPLICATION_FACTOR = 64
"""What administrators may set at most (section 6, `set_replication`)."""
MAX_WEIGHT = 16
"""Lots that a node draws at most: all of them are drawn for each chunk (section 11, Weights)."""
FIRST_LOT = b"\x00"


class PlacedNode(NamedTuple):
    """A registered node that may hold chunks; `weight` (1..16) is its share against the others'."""

    key: bytes
    weight: Natural = 1


def placement(chunk: bytes, nodes: Iterable[PlacedNode], factor: int = REPLICATION_FACTOR) -> tuple[bytes, ...]:
    """The keys of the nodes that should hold a chunk, first choice first; all of them where there are too few.

    Each node draws as many lots as it weighs, and its best one counts. So a node that comes or goes, or whose weight
    changes, moves only the chunks that it gains or loses.
    """
    # By lot, then by key: every node finds the same places, in whatever order it knows the others.
    lots = sorted(((_best_lot(chunk, node), node.key) for node in nodes), reverse=True)
    return tuple(key for _, key in lots[:factor])


def _best_lot(chunk: bytes, node: PlacedNode) -> bytes:
    assert 1 <= node.weight <= MAX_WEIGHT, "a weight is out of its bounds"
    lots = placement_lots(chunk + node.key + FIRST_LOT, DIGEST_BYTES * node.weight)
    if node.weight == 1:
        return lots
    return max(lots[first : first + DIGEST_BYTES] for first in range(0, len(lots), DIGEST_BYTES))
