"""The weights of a chain recounted from nothing but its blocks (protocol section 8, Weights)."""

from __future__ import annotations

from collections import Counter

from harness.reference.storage import Proven
from lucid.chain.transactions import NodeCapacity
from lucid.poot.members import Member

UNKNOWN = (1, 0)
"""What somebody declared that declared nothing, and when."""


class WeightHistory:
    """What nodes declared, and how their weights went from epoch to epoch: by member number each (epoch, weight)."""

    def __init__(self) -> None:
        self.said: dict[int, tuple[int, int]] = {}
        self.went: dict[int, list[tuple[int, int]]] = {}

    def note(self, number: int, capacity: NodeCapacity) -> None:
        """A member declares something."""
        self.said[number] = capacity.tickets, capacity.height

    def open(self, members: list[Member], epoch: int, proofs: list[Proven]) -> None:
        """An epoch opens, after all these proofs."""
        if not self.said:
            return
        proven: Counter[bytes] = Counter()
        for proof in proofs:
            if proof.epoch == epoch - 1:
                proven[proof.node] = min(2**53, proven[proof.node] + proof.size)
        there = [number for number in range(len(members)) if not members[number].retired]
        share = self._middle([proven[members[number].key] // self.weight(number)[1] for number in there])
        most = 4 * self._middle([self.said.get(number, UNKNOWN)[0] for number in there])
        new = dict.fromkeys(range(len(members)), 1)
        for number in there:
            since, weight = self.weight(number)
            size = proven[members[number].key]
            factors = (1,) if epoch - since < 2 else (0.5,) if 4 * size < weight * share else (2,) if share else (1,)
            new[number] = min(max(1, int(weight * factors[0])), self.said.get(number, UNKNOWN)[0], most)
        for number, weight in new.items():
            if weight != self.weight(number)[1]:
                self.went.setdefault(number, []).append((epoch, weight))

    def weight(self, number: int) -> tuple[int, int]:
        """Since when a member weighs what."""
        return self.went.get(number, [(0, 1)])[-1]

    def entry(self, number: int) -> tuple[int, int, int, int]:
        """A member's entry of the weights, as the ledger has it."""
        since, weight = self.weight(number)
        return (*self.said.get(number, UNKNOWN), weight, since)

    @staticmethod
    def _middle(values: list[int]) -> int:
        return sorted(values)[(len(values) - 1) // 2]
