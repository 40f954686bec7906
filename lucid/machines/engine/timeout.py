"""The view timeout: grows while views are slow, falls back while blocks come in time (protocol section 4)."""

from __future__ import annotations

SLOW_TO_GROW = 4
"""Slow views in a row, or in which nothing became final, that double the timeout (protocol section 4, Timeout)."""
BLOCKS_TO_SHRINK = 12
"""Other views in a row that halve it (section 4, Timeout): three times as many as let it grow, so that it stays where
views end in time."""
MAX_FACTOR = 16
"""Bounds how long a chain that stood still takes to go on once its quorum is back (section 4, Timeout): 80 s a view
where the base is 5 s."""


class Timeout:
    """The current timeout: `base_ms` times a factor of 1, 2, 4, 8 or 16."""

    __slots__ = ("_blocks", "_factor", "_slow", "_vain", "base_ms")

    # It begins at 1 with each start: nothing of it is kept, as nodes need not agree on it (section 4, Timeout).
    def __init__(self, base_ms: int) -> None:
        self.base_ms = base_ms
        self._factor = 1
        self._slow = 0
        self._vain = 0
        self._blocks = 0

    @property
    def current_ms(self) -> int:
        """The timeout in force."""
        return self.base_ms * self._factor

    def view_ended(self, slow: bool) -> None:
        """Count a view that ended with a skip or after its timer had fired here, or else with a block in time."""
        if slow:
            self._blocks = 0
            self._slow += 1
            self._vain += 1
            # A bare quorum whose members are late by turns has a view in time in each round, and never finality.
            if SLOW_TO_GROW in (self._slow, self._vain):
                self._slow = self._vain = 0
                self._factor = min(MAX_FACTOR, 2 * self._factor)
        else:
            self._slow = 0
            self._blocks += 1
            if self._blocks == BLOCKS_TO_SHRINK:
                self._blocks = 0
                self._factor = max(1, self._factor // 2)

    def became_final(self) -> None:
        """A block became final: slow views before it are a reason to wait for longer only if they are in a row."""
        self._vain = 0
