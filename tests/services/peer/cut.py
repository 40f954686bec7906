"""A connection that notes when it is cut."""

from __future__ import annotations


class Cut:
    """Notes that a connection was cut."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1
