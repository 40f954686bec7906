"""Shrinks a failing scenario: fewer faults, nodes, limits, less load and time, while the same invariant breaks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from harness.hunt.judge import RunVerdict, SeedOutcome, judge
from sim.scenario import Scenario
from sim.scenariochecks import changed
from sim.scenarioerror import ScenarioError

SAME = {RunVerdict.LATE: RunVerdict.STUCK}
"""Verdicts that are one find: a chain that comes back too late, and one that never does."""

Change = dict[str, Any]


class Shrunk(NamedTuple):
    """The smallest failing scenario that was found, what became of it, and in how many runs."""

    scenario: Scenario
    outcome: SeedOutcome
    runs: int
    seconds: float


class Shrinker:
    """Tries smaller scenarios until none of them fails in the same way, or `seconds` of wall time are over."""

    def __init__(
        self, scenario: Scenario, outcome: SeedOutcome, seconds: float, tried: Callable[[Scenario], None]
    ) -> None:
        self.best = scenario
        self.outcome = outcome
        self.runs = 0
        self._tried = tried
        self._began = time.monotonic()
        self._until = self._began + seconds

    def shrink(self) -> Shrunk:
        """Shrink until nothing more goes."""
        passes = (self._fewer_faults, self._simpler_network, self._fewer_nodes, self._simpler_faults, self._less_time)
        smaller = True
        while smaller and not self.over:
            smaller = sum(each() for each in passes) > 0
        return self.found()

    def found(self) -> Shrunk:
        """The smallest so far."""
        return Shrunk(self.best, self.outcome, self.runs, time.monotonic() - self._began)

    @property
    def over(self) -> bool:
        """Whether the time is."""
        return time.monotonic() > self._until

    def _fails(self, values: Change) -> bool:
        """Whether the best scenario with other values fails in the same way; if so it is the best one."""
        if self.over:
            return False
        try:
            candidate = changed(self.best, **values)
        except ScenarioError:
            return False
        if candidate == self.best:
            return False
        self.runs += 1
        self._tried(candidate)
        outcome = judge(candidate)
        if find(outcome) != find(self.outcome):
            return False
        self.best, self.outcome = candidate, outcome
        return True

    def _fewer_faults(self) -> bool:
        """Leave out halves, quarters, and at last single faults."""
        smaller, size = False, max(1, len(self.best.fault) // 2)
        while size:
            at = 0
            while at < len(self.best.fault) and not self.over:
                faults = msgspec.to_builtins(self.best.fault)
                if self._fails({"fault": faults[:at] + faults[at + size :]}):
                    smaller = True
                else:
                    at += size
            size //= 2
        return smaller

    def _simpler_network(self) -> bool:
        limits, parameters = self.best.limits, self.best.parameters
        plain: list[Change] = [
            {"holdings_every_ms": 0},
            {"relays_every_ms": 0},
            {"capacities": []},
            {"anchor_every_ms": 0},
            {"limits": {}},
            *({"limits": {key: value for key, value in limits.items() if key != left_out}} for left_out in limits),
            {"profile": "lan"},
            {"transport": "datagram"},
            {"disk_us": 0},
            {"snapshot_blocks": 2_160},
            {"parameters": parameters | {"epoch_slots": 720}},
        ]
        return sum(self._fails(each) for each in plain) > 0

    def _fewer_nodes(self) -> bool:
        """Leave out the last node, or any other by giving its number to the last."""
        for left_out in range(self.best.nodes - 1, -1, -1):
            faults = [_without(each, left_out, self.best.nodes) for each in msgspec.to_builtins(self.best.fault)]
            kept = [each for each in faults if each is not None]
            capacities = list(self.best.capacities)
            if left_out < len(capacities):
                capacities[left_out] = capacities[-1]
                capacities.pop()
            # Other nodes have other keys, and so other leaders: what depends on who leads may need another seed.
            for seed in (self.best.seed, *range(1, 4)):
                values = {"nodes": self.best.nodes - 1, "fault": kept, "seed": seed, "capacities": capacities}
                if self._fails(values):
                    return True
        return False

    def _simpler_faults(self) -> bool:
        smaller = False
        for place in range(len(self.best.fault)):
            for values in list(_simpler(msgspec.to_builtins(self.best.fault[place]))):
                faults = msgspec.to_builtins(self.best.fault)
                faults[place] = values
                smaller = self._fails({"fault": faults}) or smaller
        return smaller

    def _less_time(self) -> bool:
        """An earlier calm, down to just after the last fault began."""
        smaller, least = False, max([fault.at_ms for fault in self.best.fault], default=0) + 1
        for calm in sorted({least, least + 1_000, (least + self.best.calm_ms) // 2}):
            if calm < self.best.calm_ms:
                faults = [_ending(each, calm) for each in msgspec.to_builtins(self.best.fault)]
                if self._fails({"calm": calm, "fault": faults}):
                    smaller = True
                    break
        return smaller


def find(outcome: SeedOutcome) -> tuple[RunVerdict, str]:
    """What makes two failures the same find."""
    return SAME.get(outcome.verdict, outcome.verdict), outcome.invariant


def _without(fault: Change, node: int, nodes: int) -> Change | None:
    """A fault of a network without one node, whose number the last one takes; None if it was that node's fault."""
    last = nodes - 1

    def renamed(index: int) -> int:
        return node if index == last else index

    made: Change = {}
    for key, value in fault.items():
        if key == "node":
            if value == node:
                return None
            made[key] = renamed(value)
        elif key in ("nodes", "sees", "to"):
            made[key] = [renamed(each) for each in value if each != node]
        elif key == "groups":
            groups = [[renamed(each) for each in group if each != node] for group in value]
            made[key] = [group for group in groups if group]
        else:
            made[key] = value
    return made


def _simpler(fault: Change) -> Iterator[Change]:
    """The same fault shorter, rounder or with less of everything."""
    at = fault["at"]
    until = fault.get("until")
    if isinstance(at, int) and at % 1_000:
        yield fault | {"at": at // 1_000 * 1_000}
    if isinstance(at, int) and isinstance(until, int):
        if until % 1_000:
            yield fault | {"until": until // 1_000 * 1_000 + 1_000}
        if until - at > 2_000:
            yield fault | {"until": (at + until) // 2}
    for key, plain in (("times", 1), ("effects", 0), ("down_ms", 1), ("least_ms", 0), ("percent", 100.0)):
        if key in fault and fault[key] != plain:
            yield fault | {key: plain}
    if isinstance(fault.get("back_ms"), list) and len(fault["back_ms"]) > 1:
        yield fault | {"back_ms": [1]}


def _ending(fault: Change, calm_ms: int) -> Change:
    until = fault.get("until")
    return fault | {"until": calm_ms} if isinstance(until, int) and until > calm_ms > fault["at"] else fault
