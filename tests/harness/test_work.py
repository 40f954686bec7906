"""What traitors make honest nodes verify is metered, and a safeguard against it that is gone is noticed."""

from __future__ import annotations

import pytest

from harness.hunt.ablation import without
from harness.hunt.judge import RunVerdict, judge
from harness.hunt.work import WORK
from sim.faults.flood import Flood, Water
from sim.faults.replay import Replay
from sim.faults.wipe import Wipe
from sim.scenario import Scenario

FAST = {"block_interval_ms": 1_000, "slot_duration_ms": 3_000, "slot_timeout_ms": 1_000, "max_clock_drift_ms": 400}


@pytest.mark.parametrize(
    ("safeguard", "what"), [("forgers-barred", "certificates"), ("forged-votes-bounded", "forged")]
)
def test_a_flood_costs_a_node_little_while_the_safeguard_is_there(safeguard: str, what: Water) -> None:
    flood = Flood(node=1, what=what, every_ms=5)
    scenario = Scenario(
        name="hunt",
        nodes=7,
        profile="lan",
        parameters=FAST,
        calm="15s",
        duration="1h",
        anchor_every_ms=0,
        fault=[flood],
    )
    assert judge(scenario).verdict is RunVerdict.PASS
    with without(safeguard):
        outcome = judge(scenario)
    assert (outcome.verdict, outcome.invariant) == (RunVerdict.DIVERGED, WORK)
    assert " of 10 s on signatures that n01 sent" in outcome.reason


def test_blocks_that_a_node_asked_for_and_took_are_no_work_that_a_traitor_made_it_do() -> None:
    """Its share of the time is what somebody had to bring: a node that lost its store verifies all anchors again."""
    scenario = Scenario(
        name="hunt",
        nodes=4,
        seed=1,
        profile="lan",
        parameters=FAST,
        limits={"page_blocks": 2},
        calm="45s",
        duration="1h",
        anchor_every_ms=100,
        fault=[
            Replay(node=2, every_ms=20, forged_percent=0, at=12_800, until=20_000),
            Wipe(node=3, votes="kept", at=10_000, until=41_000),
        ],
    )
    assert judge(scenario).verdict is RunVerdict.PASS
