"""Faults as the pictures of a report show them."""

from __future__ import annotations

from typing import NamedTuple

from harness.result import RunResult

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


def drawn_faults(result: RunResult, end_ms: float) -> list[DrawnFault]:
    """The faults by time. One that nothing ends lasts to the end of the run."""
    return sorted(
        DrawnFault(
            at_ms=each.at_ms,
            until_ms=max(each.at_ms, end_ms if each.until_ms is None else each.until_ms),
            kind=each.kind,
            what=each.what,
            color=each.color,
        )
        for each in result.faults
    )


def merged(spans: list[Point]) -> list[Point]:
    """The same stretch as disjoint spans, ascending; an instant is not a stretch."""
    merged: list[Point] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return merged
