"""A step of a clock that is smeared: it is made little by little, and undone so."""

from __future__ import annotations

from typing import Any

import pytest

from harness.hunt.judge import RunVerdict, judge
from harness.hunt.swarm import PROFILES, draw
from sim.faults.smear import Smear
from sim.scenario import Scenario
from sim.scenariochecks import changed
from sim.scenarioerror import ScenarioError
from sim.trace import Trace
from sim.world import World

FAST = {"block_interval_ms": 1_000, "slot_duration_ms": 3_000, "slot_timeout_ms": 1_000, "max_clock_drift_ms": 400}


def network(*faults: Smear, **values: Any) -> Scenario:
    return Scenario(name="smear", nodes=4, profile="lan", parameters=FAST, fault=list(faults), **values)


def offsets_ms(scenario: Scenario, *at_ms: int) -> list[float]:
    """How far the clock of node 2 is off at these moments."""
    world = World(scenario, Trace())
    right_us = world.nodes[2].clock_us
    world.start()
    found = []
    for each in at_ms:
        world.run(each)
        found.append((world.nodes[2].clock_us - right_us) / 1_000)
    return found


@pytest.mark.parametrize("offset_ms", [-301, 301])
def test_the_step_is_made_evenly_and_undone_so(offset_ms: int) -> None:
    scenario = network(Smear(node=2, offset_ms=offset_ms, over_ms=1_000, at=2_000, until=5_000))
    found = offsets_ms(scenario, 1_990, 2_510, 3_050, 4_900, 5_510, 6_050, 7_000)
    assert found == [
        0,
        pytest.approx(offset_ms / 2, abs=0.01),
        *[offset_ms] * 2,
        *[pytest.approx(offset_ms / 2, abs=0.01)],
        0,
        0,
    ]


def test_one_that_is_not_made_yet_goes_back_from_where_it_is() -> None:
    scenario = network(Smear(node=2, offset_ms=1_000, over_ms=10_000, at=2_000, until=4_000))
    assert offsets_ms(scenario, 3_990, 4_990, 6_000, 9_000) == [190, 90, 0, 0]


def test_in_the_calm_it_is_right_at_once() -> None:
    keys: dict[str, Any] = {"calm": 5_000, "duration": "1h"}
    on = network(Smear(node=2, offset_ms=1_000, over_ms=10_000, at=2_000), **keys)
    assert offsets_ms(on, 4_990, 5_000) == [290, 0]
    over = network(Smear(node=2, offset_ms=1_000, over_ms=10_000, at=2_000, until=4_500), **keys)
    assert offsets_ms(over, 4_990, 5_110, 6_000) == [190, 0, 0]


def test_a_chain_lives_with_a_smeared_clock_and_comes_back_from_several() -> None:
    one = Smear(node=2, offset_ms=30_000, over_ms=20_000, at=1_000, stays=True)
    assert judge(network(one, calm=25_000, duration="1h")).verdict is RunVerdict.PASS
    all_but_one = [Smear(node=node, offset_ms=-9_000 * node, over_ms=3_000, at=1_000) for node in (1, 2, 3)]
    assert judge(network(*all_but_one, calm=20_000, duration="1h")).verdict is RunVerdict.PASS


def test_a_step_of_nothing_is_refused() -> None:
    with pytest.raises(ScenarioError, match="not an offset"):
        changed(network(), fault=[{"kind": "smear", "node": 1, "at": 0, "offset_ms": 0, "over_ms": 1_000}])


def test_only_the_swarm_that_names_it_draws_it() -> None:
    drawn = {
        name for name in PROFILES for seed in range(30) if "smear" in {each.kind for each in draw(seed, name).fault}
    }
    assert drawn == {"clocks"}
