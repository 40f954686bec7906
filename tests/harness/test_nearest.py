"""The nearest passing neighbor of a failing scenario differs by as little as makes it pass."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from harness.hunt import nearest
from harness.hunt.judge import RunVerdict, SeedOutcome
from harness.hunt.nearest import NearestSearch, differing
from harness.hunt.swarm import draw
from sim.faults.crash import Crash
from sim.faults.stall import Stall
from sim.scenario import Scenario

PLENTY_S = 60


def scenario(*faults: Any) -> Scenario:
    return Scenario(name="hunt", nodes=4, seed=7, calm=20_000, duration="1h", fault=list(faults))


def failing_if(monkeypatch: pytest.MonkeyPatch, fails: Any) -> list[Scenario]:
    """What is judged, where a scenario fails as `fails` says."""
    seen: list[Scenario] = []

    def judged(candidate: Scenario) -> SeedOutcome:
        seen.append(candidate)
        return SeedOutcome(RunVerdict.STUCK if fails(candidate) else RunVerdict.PASS, "", "", 0, 0, "", {})

    monkeypatch.setattr(nearest, "judge", judged)
    return seen


def look(failing: Scenario, seconds: float = PLENTY_S) -> Any:
    return NearestSearch(failing, "crash", seconds, lambda _: None).nearest()


FIRST, SECOND, THIRD = (
    Crash(node=1, at=1_000, until=9_000),
    Stall(node=2, stall_ms=700, at=3_000, until=8_000),
    Crash(node=3, at=5_000, until=6_000),
)


def test_a_fault_that_matters_ends_as_late_as_lets_it_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = failing_if(monkeypatch, lambda each: any(f.kind == "stall" and f.until_ms > 4_321 for f in each.fault))
    found = look(scenario(FIRST, SECOND, THIRD))
    assert found.differences == ("stall n02, writes 700 ms longer, from 3 s to 8 s: ends at 4.318 s",)
    assert [each.kind for each in found.scenario.fault] == ["crash", "stall", "crash"]
    assert found.scenario.fault[1].until_ms == 4_318
    assert found.runs == len(seen) and seen[0].fault == [FIRST, SECOND], "what begins last is left out first"


def test_one_that_nothing_but_its_absence_mends_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    failing_if(monkeypatch, lambda each: any(fault.kind == "stall" for fault in each.fault))
    found = look(scenario(FIRST, SECOND, THIRD))
    assert found.scenario.fault == [FIRST, THIRD]
    assert found.differences == ("without stall n02, writes 700 ms longer, from 3 s to 8 s",)


def test_where_each_fault_is_enough_as_few_as_may_be_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    failing_if(monkeypatch, lambda each: any(fault.kind == "crash" for fault in each.fault))
    found = look(scenario(FIRST, SECOND, THIRD))
    assert found.scenario.fault == [SECOND]
    assert found.differences == ("without crash n01, from 1 s to 9 s", "without crash n03, from 5 s to 6 s")


def test_else_the_seed_nearby_that_was_drawn_most_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    failing = draw(7, "crash")
    seen = failing_if(monkeypatch, lambda each: each.seed in (failing.seed, *range(12)))
    found = look(failing)
    alike = {each: len(differing(failing, draw(each, "crash"))) for each in range(12, 58)}
    assert alike[found.scenario.seed] == min(alike.values())
    assert found.differences[0] == f"seed {found.scenario.seed}" and len(found.differences) == 1 + min(alike.values())
    assert found.runs == len(seen)


def test_none_where_nothing_passes_or_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    failing_if(monkeypatch, lambda _: True)
    assert look(scenario(FIRST)) is None
    failing_if(monkeypatch, lambda _: False)
    assert look(scenario(FIRST), seconds=0) is None


def test_what_two_scenarios_drew_differently_is_told() -> None:
    one = scenario(FIRST, SECOND)
    other = msgspec.structs.replace(scenario(SECOND, THIRD), nodes=5)
    assert differing(one, other) == [
        "nodes: 4 and 5", "only here: crash n01, from 1 s to 9 s", "only there: crash n03, from 5 s to 6 s"
    ]  # fmt: skip
    assert differing(one, one) == []
