"""Who there is: the registered nodes, those in reach, and where chunks belong among them (protocol section 8)."""

from __future__ import annotations

from collections.abc import Iterable

from lucid.chain.placement import REPLICATION_FACTOR, PlacedNode, placement
from lucid.machines.effects import MembersKnown


class Neighborhood:
    """What one node knows of the others; before it was told it knows of itself alone."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.members: tuple[bytes, ...] = (key,)
        self.connected: frozenset[bytes] = frozenset()
        self.weights: tuple[int, ...] = ()
        """What each of the members weighs; nothing: each 1."""
        self._placed = [PlacedNode(key)]
        self.factor = REPLICATION_FACTOR
        """How many copies of each chunk the chain wants."""

    def learn(self, known: MembersKnown) -> bool:
        """Take in who there is; returns whether that is something new."""
        before = self._known
        self.members, self.connected, self.factor = known.members, frozenset(known.connected), known.factor
        self.weights = known.weights
        weights = known.weights or (1,) * len(known.members)
        self._placed = [PlacedNode(key, weight) for key, weight in zip(known.members, weights, strict=True)]
        return before != self._known

    @property
    def _known(self) -> tuple[object, ...]:
        return self.members, self.connected, self.factor, self.weights

    def wanted(self, chunk: bytes) -> tuple[bytes, ...]:
        """The nodes that should hold a chunk."""
        return placement(chunk, self._placed, self.factor)

    def others(self, chunk: bytes) -> list[bytes]:
        """The same without this node."""
        return [key for key in self.wanted(chunk) if key != self.key]

    @property
    def copies_wanted(self) -> int:
        """How many nodes should hold each chunk: as many as the chain wants, or as there are."""
        return min(self.factor, len(self.members))

    def sources(self, chunk: bytes, first: Iterable[bytes]) -> list[bytes]:
        """Nodes in reach that may have a chunk: the first ones, those where it belongs, the rest."""
        found = dict.fromkeys([*first, *self.wanted(chunk), *self.members])
        return [key for key in found if key != self.key and key in self.connected]
