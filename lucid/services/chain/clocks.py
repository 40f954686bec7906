"""Whether a clock is off: this node's, by those of its peers or by the blocks that become final, or those of peers."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping

from lucid.chain.genesis import Genesis
from lucid.services.web.health import Condition

BLOCKS = 8
"""Blocks in a row by which the clock is judged."""
CLOCK_OFF = "clock off"
KEEP_CLOCK = "have the clock kept by NTP"


class Clocks:
    """Compares clocks. `ahead` tells by how many ms those of the connected peers are ahead of this node's at least."""

    def __init__(self, genesis: Genesis, ahead: Callable[[], Mapping[bytes, int]]) -> None:
        self._genesis = genesis
        self._ahead = ahead
        self._ages: deque[tuple[float, int]] = deque(maxlen=BLOCKS)
        """When blocks became final here, and how old they were by this node's clock."""

    def block_final(self, tick: int, now_ms: int) -> None:
        """A block of that tick is final, at `now_ms` by this node's clock."""
        self._ages.append((time.monotonic(), now_ms - self._genesis.tick_ms(tick)))

    def own(self) -> Condition | None:
        """Whether this node's clock is off, by those of its peers or else by the blocks that become final."""
        return self._off_its_peers() or self._off_the_blocks()

    def of_peers(self) -> Condition | None:
        """Whether the clocks of some peers are off, but not those of most: that is for these to mend."""
        off = self._off()
        if not off or self._off_its_peers() is not None:
            return None
        names = ", ".join(f"{node.hex()[:16]} by {each / 1000:+.1f} s" for node, each in sorted(off.items()))
        return Condition(CLOCK_OFF, f"the clocks of {len(off)} peers differ from this node's: {names}", KEEP_CLOCK)

    def _off(self) -> dict[bytes, int]:
        most_ms = self._genesis.parameters.max_clock_drift_ms
        return {node: off for node, off in self._ahead().items() if abs(off) > most_ms}

    def _off_its_peers(self) -> Condition | None:
        """Whether the clocks of most of the peers that are connected differ in the same way.

        Works while the chain is halted, too: a wrong clock may be the reason."""
        peers = len(self._ahead())
        for way, sign in (("behind", 1), ("ahead of", -1)):
            off = sorted(sign * each for each in self._off().values() if sign * each > 0)
            if 2 * len(off) > peers:
                by_s = off[len(off) // 2] / 1000
                said = f"this node's clock is {by_s:.1f} s {way} those of {len(off)} of its {peers} peers"
                return Condition(CLOCK_OFF, said, KEEP_CLOCK)
        return None

    def _off_the_blocks(self) -> Condition | None:
        """Whether blocks that come one by one are all too old, or of the future, by this node's clock."""
        parameters = self._genesis.parameters
        interval_ms = parameters.block_interval_ms
        if len(self._ages) < BLOCKS:
            return None
        took_ms = (self._ages[-1][0] - self._ages[0][0]) * 1000
        if took_ms < (BLOCKS - 1) * interval_ms // 2:
            return None  # they were fetched, not waited for
        ages = [age for _, age in self._ages]
        earlier, later = ages[: BLOCKS // 2], ages[BLOCKS // 2 :]
        if abs(min(earlier) - min(later)) >= interval_ms // 2:
            return None  # a clock is off by the same all the time: this node falls behind, or comes up
        # Of a chain that is slow, as on nodes that have too much to do, every block is old when it is final.
        spacing_ms = max(interval_ms, 2 * took_ms / (BLOCKS - 1) - interval_ms)
        usual_ms = spacing_ms + parameters.slot_timeout_ms + parameters.max_clock_drift_ms
        if max(ages) < -parameters.max_clock_drift_ms:
            off = f"{-max(ages) / 1000:.1f} s behind"
        elif min(ages) > usual_ms:
            off = f"{min(ages) / 1000:.1f} s ahead of"
        else:
            return None
        return Condition(CLOCK_OFF, f"this node's clock is {off} the chain's", KEEP_CLOCK)
