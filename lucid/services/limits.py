"""How much each caller may ask for: a bucket of requests that refills, for every token or address."""

from __future__ import annotations

import time

MAX_CALLERS = 10_000
BURST_S = 2
"""How many seconds' worth of requests may come at once."""


class RateLimits:
    """Buckets by caller; those that are full again are forgotten when there are too many."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._room = float(per_second * BURST_S)
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, caller: str) -> bool:
        """Whether the caller may make one more request now."""
        now = time.monotonic()
        left, since = self._buckets.get(caller, (self._room, now))
        left = min(self._room, left + (now - since) * self._per_second)
        if len(self._buckets) >= MAX_CALLERS and caller not in self._buckets:
            self._forget(now)
        self._buckets[caller] = (max(0.0, left - 1), now)
        return left >= 1

    def _forget(self, now: float) -> None:
        full = [caller for caller, (_, since) in self._buckets.items() if now - since > BURST_S]
        for caller in full or list(self._buckets)[: MAX_CALLERS // 2]:
            del self._buckets[caller]
