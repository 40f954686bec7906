"""The nearest passing neighbor of a failing scenario: as few faults away as may be, and those changed as little."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from harness.hunt.judge import judge
from harness.hunt.swarm import draw
from sim.faults.fault import Fault
from sim.scenario import Scenario
from sim.scenariochecks import changed
from sim.scenarioerror import ScenarioError

SEEDS_AROUND = 50
"""Neighboring seeds, on either side, that are looked at where no change of the faults makes a scenario pass."""
CLOSE_MS = 10
"""A fault's end is moved as little as makes the scenario pass, to within so much."""


class Neighbor(NamedTuple):
    """A scenario that passes, how it differs from the one that fails, and in how many runs it was found."""

    scenario: Scenario
    differences: tuple[str, ...]
    runs: int


class NearestSearch:
    """Looks for the nearest neighbor until nothing nearer is left to try, or `seconds` of wall time are over."""

    def __init__(self, scenario: Scenario, profile: str, seconds: float, tried: Callable[[Scenario], None]) -> None:
        self.scenario = scenario
        self.profile = profile
        self.runs = 0
        self._tried = tried
        self._until = time.monotonic() + seconds

    def nearest(self) -> Neighbor | None:
        """One fault shorter, else one fewer, else the fewest fewer, else a seed nearby; None if none of them passes."""
        count = len(self.scenario.fault)
        # What begins last shares the most with the run that fails.
        for place in sorted(range(count), key=lambda each: -self.scenario.fault[each].at_ms):
            if self._without({place}) is not None:
                return self._shorter(place)
        return self._fewer() or self._nearby()

    def _passes(self, values: dict[str, Any]) -> Scenario | None:
        """The scenario with other values, if it passes."""
        try:
            candidate = changed(self.scenario, **values)
        except ScenarioError:
            return None
        return candidate if self._judged(candidate) else None

    def _judged(self, candidate: Scenario) -> bool:
        if time.monotonic() > self._until:
            return False
        self.runs += 1
        self._tried(candidate)
        return not judge(candidate).verdict.failed

    def _without(self, places: set[int]) -> Scenario | None:
        faults = msgspec.to_builtins(self.scenario.fault)
        return self._passes({"fault": [each for place, each in enumerate(faults) if place not in places]})

    def _shorter(self, place: int) -> Neighbor:
        """That fault ends earlier, by as little as may be; or is not there, if it has no end or never passes so."""
        fault = self.scenario.fault[place]
        without = changed(
            self.scenario,
            fault=[each for at, each in enumerate(msgspec.to_builtins(self.scenario.fault)) if at != place],
        )
        best = Neighbor(without, (f"without {_told(fault)}",), self.runs)
        passing, failing = fault.at_ms, fault.until_ms
        while failing is not None and failing - passing > CLOSE_MS:
            middle = (passing + failing) // 2
            faults = msgspec.to_builtins(self.scenario.fault)
            faults[place] |= {"until": middle}
            found = self._passes({"fault": faults})
            if found is None:
                failing = middle
            else:
                passing = middle
                best = Neighbor(found, (f"{_told(fault)}: ends at {middle / 1000:g} s",), self.runs)
        return best._replace(runs=self.runs)

    def _fewer(self) -> Neighbor | None:
        """The last faults are left out until the scenario passes, then each comes back that leaves it so."""
        order = sorted(range(len(self.scenario.fault)), key=lambda each: -self.scenario.fault[each].at_ms)
        gone: set[int] = set()
        best: Scenario | None = None
        for place in order:
            gone.add(place)
            best = self._without(gone)
            if best is not None:
                break
        if best is None:
            return None
        for place in sorted(gone):
            back = self._without(gone - {place})
            if back is not None:
                best = back
                gone.remove(place)
        differences = [f"without {_told(self.scenario.fault[place])}" for place in sorted(gone)]
        return Neighbor(best, tuple(differences), self.runs)

    def _nearby(self) -> Neighbor | None:
        """The seed nearby that passes and was drawn the most alike."""
        seed = self.scenario.seed
        around = [each for each in range(seed - SEEDS_AROUND, seed + SEEDS_AROUND + 1) if each >= 0 and each != seed]
        others = [(draw(each, self.profile), abs(each - seed)) for each in around]
        alike = sorted(others, key=lambda each: (len(differing(self.scenario, each[0])), each[1]))
        found = next((other for other, _ in alike if self._judged(other)), None)
        if found is None:
            return None
        return Neighbor(found, (f"seed {found.seed}", *differing(self.scenario, found)), self.runs)


def differing(one: Scenario, other: Scenario) -> list[str]:
    """What two scenarios drew differently: keys, and faults that only one of them has."""
    first, second = msgspec.to_builtins(one), msgspec.to_builtins(other)
    names = [key for key in first if key not in ("fault", "seed", "description") and first[key] != second[key]]
    return [
        *[f"{key}: {first[key]} and {second[key]}" for key in names],
        *[f"only here: {_told(each)}" for each in _lacking(one, other)],
        *[f"only there: {_told(each)}" for each in _lacking(other, one)],
    ]


def _lacking(one: Scenario, other: Scenario) -> Iterator[Fault]:
    return (each for each in one.fault if each not in other.fault)


def _told(fault: Fault) -> str:
    until = "the end" if fault.until_ms is None else f"{fault.until_ms / 1000:g} s"
    return f"{fault.kind} {fault.text()}, from {fault.at_ms / 1000:g} s to {until}"
