"""Rows that are to be seen over those of a store, in the order of their keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import merge
from itertools import islice

Row = tuple[bytes, bytes]
"""A key and its value."""


def overlaid(
    held: Mapping[bytes, bytes | None], stored: Iterator[Row], start: bytes, limit: int | None, reverse: bool
) -> Iterator[Row]:
    """Up to `limit` rows, from `start` on as in `Store.scan`, of which `stored` are those of the store: of each key as
    `held` has it, where it has it; None is none."""
    inside = sorted(
        (
            (key, value)
            for key, value in held.items()
            if value is not None and ((not start or key < start) if reverse else key >= start)
        ),
        reverse=reverse,
    )
    below = (row for row in stored if row[0] not in held)
    return islice(merge(inside, below, reverse=reverse), limit)
