"""How long to wait before a node is asked again that has no time now."""

from __future__ import annotations

import time

import httpx

PATIENCE_S = 300.0
"""For how long a node that has too many requests is asked again, as its `Retry-After` says."""
AWAY_S = 20.0
"""For how long one that cannot do it now is."""
MAX_WAIT_S = 60.0
FIRST_WAIT_S = 0.5


class Patience:
    """How long to wait before a node is asked again that has no time now."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._own = FIRST_WAIT_S

    def next(self, response: httpx.Response) -> float | None:
        """Seconds to wait; None if its answer is to be taken as it is."""
        told = response.headers.get("Retry-After", "")
        if response.status_code != 429 and not (response.status_code == 503 and told):
            return None
        self._own = min(2 * self._own, MAX_WAIT_S)
        wait = min(float(told), MAX_WAIT_S) if told.isascii() and told.isdigit() and len(told) < 9 else self._own
        wait = max(wait, FIRST_WAIT_S)
        patience = PATIENCE_S if response.status_code == 429 else AWAY_S
        return wait if time.monotonic() + wait < self._began + patience else None
