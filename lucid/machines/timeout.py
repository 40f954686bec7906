"""The view timeout: grows while views are skipped, falls back while blocks come (protocol section 4)."""

from __future__ import annotations

SKIPS_TO_GROW = 4
BLOCKS_TO_SHRINK = 12
MAX_FACTOR = 16


class Timeout:
    """The current timeout: `base_ms` times a factor of 1, 2, 4, 8 or 16."""

    __slots__ = ("_blocks", "_factor", "_skips", "base_ms")

    def __init__(self, base_ms: int) -> None:
        self.base_ms = base_ms
        self._factor = 1
        self._skips = 0
        self._blocks = 0

    @property
    def current_ms(self) -> int:
        """The timeout in force."""
        return self.base_ms * self._factor

    def view_ended(self, skipped: bool) -> None:
        """Count a view that ended with a skip, or with a block."""
        if skipped:
            self._blocks = 0
            self._skips += 1
            if self._skips == SKIPS_TO_GROW:
                self._skips = 0
                self._factor = min(MAX_FACTOR, 2 * self._factor)
        else:
            self._skips = 0
            self._blocks += 1
            if self._blocks == BLOCKS_TO_SHRINK:
                self._blocks = 0
                self._factor = max(1, self._factor // 2)
