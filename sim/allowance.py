"""What a fault may cost while it is on."""

from __future__ import annotations

from typing import NamedTuple


class Allowance(NamedTuple):
    """What a fault may cost while it is on; with everything zero, every invariant binds as if it were not there.

    leaders: nodes whose views may fail. views: further views in a row that may fail (infinite: no bound). blocks:
    further final blocks before an accepted anchor is final (infinite: no bound). wait_ms: how long after its beginning
    and its end the chain may have to wait for clocks. lag_ms: how long ago what a node knows of the others may be.
    late_ms: how much later than usual the votes of `leaders` may come (infinite: not while it is on), which costs
    nothing as long as the others are a quorum.
    """

    leaders: frozenset[int] = frozenset()
    views: float = 0
    blocks: float = 0
    wait_ms: int = 0
    lag_ms: int = 0
    late_ms: float = 0
