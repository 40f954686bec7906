"""The schedules that a scenario can name."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import Ranking, run
from harness.schedules import SCHEDULES
from harness.weighted import weighted
from lucid.chain.ed25519 import ed25519_public_key
from lucid.poot.credits import PPM, Tally
from lucid.poot.members import Member
from sim import Scenario, ScenarioError, changed

FOUR = Scenario(nodes=4, duration="20m", anchor_every_ms=5_000)


def ranking(
    scores: list[int], beacon: bytes, evidence: tuple[int, ...] = (), late: tuple[int, ...] = (), pool: str = ""
) -> Ranking:
    """A slot of members with these scores, of whom some are under evidence and some were hardly ever there."""
    numbers = range(len(scores))
    members = [
        Member(key=ed25519_public_key(bytes([number]) * 32), name=f"n{number}", pool=pool, since=0, retired=False)
        for number in numbers
    ]
    tally = Tally(
        credits=tuple(scores),
        beacons=tuple([0 if number in late else 10 for number in numbers]),
        held=(10,) * len(scores),
        penalty_ppm=(PPM,) * len(scores),
        evidence_until=tuple([9 if number in evidence else 0 for number in numbers]),
    )
    order = tuple(numbers) if not pool else (0,)
    return Ranking(1, beacon, members, tuple(numbers), tally, order, PPM // 2)


def test_every_schedule_that_a_scenario_takes_is_there() -> None:
    for name in SCHEDULES:
        assert changed(FOUR, schedule=name).schedule == name
    with pytest.raises(ScenarioError, match="ranked"):
        changed(FOUR, schedule="drawn")


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=9), st.binary(min_size=32, max_size=32))
def test_a_draw_holds_every_member_once_and_those_without_a_score_last(scores: list[int], beacon: bytes) -> None:
    order = weighted(ranking(scores, beacon))
    assert sorted(order) == list(range(len(scores)))
    assert [bool(scores[number]) for number in order] == sorted([bool(score) for score in scores], reverse=True)


def test_first_places_are_as_scores_are() -> None:
    firsts = Counter(weighted(ranking([1, 2, 7], number.to_bytes(32, "big")))[0] for number in range(4_000))
    for number, share in enumerate((0.1, 0.2, 0.7)):
        assert abs(firsts[number] / 4_000 - share) < 0.03


def test_who_may_not_lead_comes_last_in_the_protocols_order() -> None:
    for number in range(50):
        order = weighted(ranking([9, 10**9, 9, 9, 10**9, 9, 9], number.to_bytes(32, "big"), evidence=(1,), late=(4,)))
        assert order[-2:] == (1, 4)


def test_a_pool_is_drawn_as_one() -> None:
    assert weighted(ranking([5, 5, 5], bytes(32), pool="home")) == (0,)


def test_all_nodes_and_the_second_implementation_follow_the_weighted_schedule() -> None:
    ranked, drawn = run(FOUR), run(changed(FOUR, schedule="weighted"))
    assert ranked.passed and drawn.passed, drawn.reason
    assert drawn.leaders.gini > ranked.leaders.gini, "chance is less even than turns"
    assert not drawn.notes and drawn.leaders.lying_pays is None


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_what_lying_pays_is_told_where_someone_lies(schedule: str) -> None:
    liar = {"kind": "grind", "node": 1, "at": 0}
    result = run(changed(FOUR, schedule=schedule, fault=[liar]))
    shares = [each.ppm for each in result.leaders.shares]
    assert result.leaders.lying_pays == pytest.approx(shares[1] / 250_000, abs=0.01)
