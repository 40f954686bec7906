"""What engines owe in time is noticed when they do not pay it, and slowness is lived with when they do."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from harness.hunt.ablation import without
from harness.hunt.judge import RunVerdict, judge
from harness.hunt.swarm import draw
from harness.hunt.timeliness import BOUNDED, IN_TIME, TIMELY
from harness.invariants import PROGRESS
from sim.faults.delay import Delay
from sim.faults.fault import Fault
from sim.faults.lying_tick import LyingTick
from sim.faults.pause import Pause
from sim.faults.withhold import Withhold
from sim.scenario import Scenario
from sim.scenariofile import load

FAST = {"block_interval_ms": 1_000, "slot_duration_ms": 3_000, "slot_timeout_ms": 1_000, "max_clock_drift_ms": 400}


def network(*faults: Fault, nodes: int = 4, **parameters: int) -> Scenario:
    """A network that is calm after a minute."""
    return Scenario(
        name="hunt",
        nodes=nodes,
        profile="lan",
        transport="datagram",
        parameters=FAST | parameters,
        calm="60s",
        duration="1h",
        anchor_every_ms=0,
        fault=list(faults),
        seed=0,
    )


def slow(least_ms: int, most_ms: int) -> Scenario:
    """Messages take so long for a minute."""
    return network(Delay(least_ms=least_ms, most_ms=most_ms, at=1_000))


LASTING = Delay(least_ms=2_000, most_ms=2_500, at=1_000, stays=True)
LATE_VOTES = Delay(least_ms=600, most_ms=700, at=1_000, stays=True)
"""Proposals come before the timers of a second, votes for them after: no view is skipped, and none makes anything
final."""
LATE_BY_TURNS = load(str(Path(__file__).parent / "regressions" / "late-by-turns.toml"))

FOUND: list[tuple[str, Scenario, RunVerdict, str]] = [
    ("older-parent", slow(0, 1_200), RunVerdict.DIVERGED, IN_TIME),
    ("timeout-bounded", network(*[Withhold(node=node) for node in range(4)]), RunVerdict.DIVERGED, BOUNDED),
    ("not-backdated", slow(0, 4_000), RunVerdict.DIVERGED, TIMELY),
    ("timeout-grows", network(LASTING), RunVerdict.STUCK, PROGRESS),
    ("late-views-are-slow", network(LATE_VOTES), RunVerdict.STUCK, PROGRESS),
    ("slow-without-finality", LATE_BY_TURNS, RunVerdict.STUCK, PROGRESS),
]


@pytest.mark.parametrize(("safeguard", "scenario", "verdict", "invariant"), FOUND, ids=[each[0] for each in FOUND])
def test_a_safeguard_of_time_that_is_gone_is_noticed(
    safeguard: str, scenario: Scenario, verdict: RunVerdict, invariant: str
) -> None:
    assert judge(scenario).verdict is RunVerdict.PASS
    with without(safeguard):
        outcome = judge(scenario)
    assert (outcome.verdict, outcome.invariant) == (verdict, invariant), outcome


def test_the_slow_swarm_has_no_crash_and_something_slow_to_the_end() -> None:
    for seed in range(30):
        scenario = draw(seed, "slow")
        assert {fault.kind for fault in scenario.fault} <= {
            "cap", "clog", "delay", "loss", "partition", "slow_cpu", "stall"
        }  # fmt: skip
        assert [fault.kind for fault in scenario.fault if fault.stays] == ["delay"]


def test_a_process_that_was_stopped_owes_no_vote_that_came_due_after_its_view() -> None:
    """It hears of both timers when it goes on: that of the view was to fire before the tick of the block."""
    ahead = LyingTick(node=1, ticks=3, at=8_544, until=10_000)
    scenario = network(ahead, Pause(node=0, at=9_225, until=13_000), nodes=2, slot_duration_ms=12_000)
    outcome = judge(msgspec.structs.replace(scenario, seed=2, calm="12353ms"))
    assert outcome.verdict is RunVerdict.UNRECOVERABLE, "one of two is Byzantine"


def test_a_process_that_was_stopped_owes_no_vote_that_it_wakes_too_late_for() -> None:
    """The block's tick came before the view was to end, both while it was stopped, and it is too old by now."""
    stops = [Pause(node=0, at=2_000, until=4_000), Pause(node=0, at=8_264, until=12_000)]
    ahead = LyingTick(node=1, ticks=1, at=5_868, until=10_000)
    scenario = network(*stops, ahead, nodes=2, slot_duration_ms=12_000, epoch_slots=720)
    outcome = judge(msgspec.structs.replace(scenario, seed=9_003_501, calm="11478ms", disk_us=0))
    assert outcome.verdict is RunVerdict.UNRECOVERABLE, outcome
