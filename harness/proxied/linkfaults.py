"""What a scenario's faults do to real connections at a moment: which pairs are cut, what is late, who is reset."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from sim.faults.delay import Delay
from sim.faults.fault import Fault
from sim.faults.loss import Loss
from sim.faults.partition import Partition
from sim.faults.reset import Reset
from sim.scenario import Scenario

KINDS = (Delay, Loss, Partition, Reset)
FIRST_TRY_MS, NEXT_TRY_MS, MOST_TRIES = 20, 200, 9
"""How long a lost segment is late: the probe that TCP sends soon, then a timeout that doubles (docs/simulator.md)."""

Pairs = frozenset[tuple[int, int]]


class ProxyError(Exception):
    """A scenario cannot be run against real nodes; one sentence."""


class LinkTurn(NamedTuple):
    """From this ms on these pairs are cut, and what these nodes have of connections ends now."""

    at_ms: int
    cut: Pairs
    reset: tuple[int, ...]


class LinkFaults:
    """The faults of a scenario that has a calm, as a proxy does them; raises `ProxyError` for kinds that it cannot."""

    def __init__(self, scenario: Scenario) -> None:
        if not scenario.calm_ms:
            raise ProxyError('the scenario has no calm: say from when on nothing is disturbed, such as calm = "30s"')
        others = sorted({fault.kind for fault in scenario.fault if not isinstance(fault, KINDS)})
        if others:
            known = ", ".join(sorted(str(kind.__struct_config__.tag) for kind in KINDS))
            raise ProxyError(f"a proxy cannot do {', '.join(others)}; it knows {known}")
        self.calm_ms = scenario.calm_ms
        self._faults = list(scenario.fault)
        self._random = Random(f"{scenario.seed}/proxy")

    def turns(self) -> list[LinkTurn]:
        """Each moment at which something changes, up to the calm."""
        resets: dict[int, list[int]] = {}
        for fault in self._faults:
            if isinstance(fault, Reset):
                for at_ms in range(fault.at_ms, self._until_ms(fault), fault.every_ms):
                    resets.setdefault(at_ms, []).append(int(fault.node))
        edges = {edge for each in self._faults for edge in (each.at_ms, self._until_ms(each))}
        return [LinkTurn(at, self.cut(at), tuple(resets.get(at, ()))) for at in sorted(edges | set(resets))]

    def cut(self, at_ms: int) -> Pairs:
        """Which nodes cannot reach each other."""
        pairs = set()
        for fault in self._on(at_ms):
            if isinstance(fault, Partition):
                sides = [(group, other) for group in fault.groups for other in fault.groups if other is not group]
                pairs |= {(a, b) for group, other in sides for a in group for b in other}
        return frozenset(pairs)

    def late_ms(self, at_ms: int, sender: int) -> int:
        """Draw how much later than usual what a node sends now comes."""
        late_ms = 0
        for fault in self._on(at_ms):
            if isinstance(fault, Delay) and (not fault.nodes or sender in fault.nodes):
                late_ms += fault.least_ms + self._random.randrange(max(1, fault.most_ms - fault.least_ms))
            elif isinstance(fault, Loss):
                late_ms += self._retransmitted_ms(fault.percent / 100)
        return late_ms

    def _retransmitted_ms(self, lost: float) -> int:
        late_ms, wait_ms = 0, FIRST_TRY_MS
        for _ in range(MOST_TRIES):
            if self._random.random() >= lost:
                break
            late_ms += wait_ms
            wait_ms = NEXT_TRY_MS if wait_ms == FIRST_TRY_MS else 2 * wait_ms
        return late_ms

    def _on(self, at_ms: int) -> list[Fault]:
        return [each for each in self._faults if each.at_ms <= at_ms and (each.stays or at_ms < self._until_ms(each))]

    def _until_ms(self, fault: Fault) -> int:
        return self.calm_ms if fault.until_ms is None else min(self.calm_ms, fault.until_ms)
