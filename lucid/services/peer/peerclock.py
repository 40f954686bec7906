"""By how much a peer's clock differs from ours, within what one reading can tell."""

from __future__ import annotations

from typing import NamedTuple


class PeerClock(NamedTuple):
    """What a peer's clock said, in ms since the Unix epoch, after `earliest_s` and before `latest_s` by this machine's
    clock that is never put right, in seconds."""

    time_ms: int
    earliest_s: float
    latest_s: float

    def off_ms(self, now_ms: int, now_s: float) -> int:
        """By how much it is ahead of this node's clock at least, or behind (below 0); 0 where it may be right. `now_s`
        is by the clock of the two moments, so that a clock of this node's that is put right counts at once."""
        least = self.time_ms - now_ms + int((now_s - self.latest_s) * 1000)
        most = self.time_ms - now_ms + int((now_s - self.earliest_s) * 1000)
        return least if least > 0 else min(most, 0)
