"""What a reader of a run's result should know that no figure says."""

from __future__ import annotations

from collections.abc import Sequence

from harness.policy import LeaderPolicy
from sim.costs import Costs
from sim.faults.fault import Fault
from sim.scenario import Scenario
from sim.world import World


def hooks_of(faults: Sequence[Fault], leaders: LeaderPolicy | None, costs: Costs | None) -> list[str]:
    """What a run has of a program's own, which no command can repeat."""
    given = (("faults of its own", faults), ("a leader policy", leaders), ("measured costs", costs))
    return [words for words, value in given if value]


def notes_of(scenario: Scenario, world: World, hooks: Sequence[str]) -> list[str]:
    """What a reader of the result should know that no figure says."""
    end_ms, calm_ms = world.clock.now_us // 1000, scenario.calm_ms
    found = []
    for place, fault in enumerate(scenario.fault):
        name, at = f"{fault.kind} {fault.text()}", f"{fault.at_ms / 1000:,.3f}".rstrip("0").rstrip(".")
        if fault.at_ms > end_ms:
            found.append(f"{name} would begin at {at} s, after the end: it never happened")
        elif fault.at_ms == end_ms:
            found.append(f"{name} begins at {at} s, where the run ends: it changed nothing")
        elif calm_ms and fault.at_ms >= calm_ms and not fault.stays:
            found.append(f"{name} would begin at {at} s, in the calm: it never happened")
        elif place in world.missed:
            found.append(f"{name} would begin at {at} s, when no node was in a view: it never happened")
    if hooks:
        found.append(f"this run had {' and '.join(hooks)}, given by a program: the command does not repeat it")
    return found
