"""Quotas: how often one peer may do something in a period of this node's clock (sections 4 and 8)."""

from __future__ import annotations

# The periods of section 8: pages and standings by the second, what does not hold by the minute.
SECOND_MS = 1_000
MINUTE_MS = 60_000


class Quota:
    """At most `most` in each period of `period_ms`, counted for each peer. Periods begin at their multiples.

    So a peer may do it twice as often around the turn of a period; what is bounded is the work in the long run.
    """

    def __init__(self, most: int, period_ms: int) -> None:
        self._most = most
        self._period_ms = period_ms
        self._counts: dict[bytes, tuple[int, int]] = {}

    def spend(self, now: int, peer: bytes) -> bool:
        """Count once more; whether it was still within the quota."""
        count = self._count(now, peer) + 1
        self._counts[peer] = (now // self._period_ms, count)
        return count <= self._most

    def spent(self, now: int, peer: bytes) -> bool:
        """Whether nothing is left in this period."""
        return self._count(now, peer) >= self._most

    def _count(self, now: int, peer: bytes) -> int:
        period, count = self._counts.get(peer, (0, 0))
        return count if period == now // self._period_ms else 0
