"""Faults as the pictures of a report show them."""

from __future__ import annotations

from typing import NamedTuple

Point = tuple[float, float]


class DrawnFault(NamedTuple):
    """What was done to whom; an instant when it ends as it starts."""

    at_ms: float
    until_ms: float
    kind: str
    what: str
    color: str = "disturbance"

    def __str__(self) -> str:
        return f"{self.kind} {self.what}".strip()


def merged(spans: list[Point]) -> list[Point]:
    """The same stretch as disjoint spans, ascending; an instant is not a stretch."""
    merged: list[Point] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return merged
