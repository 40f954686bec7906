"""What a machine was measured to take: the arithmetic, that journals give back what was put in, and what it changes."""

from __future__ import annotations

from pathlib import Path
from random import Random
from statistics import fmean, pstdev
from typing import Any

import pytest

from harness import run
from harness.calibration.costs import costs_of, without
from harness.calibration.delays import links_us
from harness.calibration.writes import WriteMeter
from lucid.storage.journal import read_journal
from sim.clock import VirtualClock
from sim.costs import Costs
from sim.machinepace import MachinePace
from sim.scenario import Scenario
from sim.scenariochecks import changed

FOUR = changed(Scenario(), nodes=4, duration="3m", parameters={"block_interval_ms": 2_000})
FLAT = Costs(write=(3_000,), tells={"any": (7_000,) * 10}, messages={2: (20_000,) * 10})


def test_what_a_write_took_is_no_part_of_what_comes_after_it() -> None:
    assert without([(5_000, False), (9_000, True), (9_000, True)], [2_000, 4_000]) == (5_000, 6_000, 6_000)
    assert without([(1_000, True)], [5_000]) == (0,), "and no time is less than none"


def test_adding_a_write_again_gives_mean_and_spread_of_what_was_seen() -> None:
    random = Random(1)
    write = [round(random.expovariate(1 / 4_000)) for _ in range(5_000)]
    seen = [30_000 + round(random.gauss(0, 5_000)) + random.choice(write) for _ in range(5_000)]
    left = without([(each, True) for each in seen], write)
    again = [each + random.choice(write) for each in left]
    assert fmean(again) == pytest.approx(fmean(seen), rel=0.02)
    assert pstdev(again) == pytest.approx(pstdev(seen), rel=0.05)


def test_writes_that_come_during_a_commit_share_the_next_one() -> None:
    clock = VirtualClock()
    pace = MachinePace(FLAT, Random(1), clock)
    waits: list[int] = []
    pace.put()
    clock.after(1_000, lambda _: pace.put())
    clock.after(2_000, lambda _: pace.put())
    clock.after(2_500, lambda _: waits.extend(pace.wait_us() for _ in range(3)))
    clock.run_until(3_000)
    assert waits == [500, 3_500, 3_500]
    clock.run_until(100_000)
    pace.put()
    assert pace.wait_us() == 3_000, "nothing is left of before"


def test_what_is_told_is_heard_in_order_each_after_its_time() -> None:
    clock = VirtualClock()
    costs = Costs(write=(1,), tells={"int": (9_000,) * 10, "str": (2_000,) * 10}, messages={})
    heard: list[tuple[int, Any]] = []
    pace = MachinePace(costs, Random(1), clock)
    for event in (1, "soon", 2):
        pace.tell(lambda event: heard.append((clock.now_us, event)), event)
    clock.run_until(50_000)
    assert heard == [(9_000, 1), (9_001, "soon"), (9_002, 2)]


def test_few_samples_of_a_kind_are_drawn_from_all() -> None:
    costs = Costs(write=(1,), tells={"rare": (1,) * 9, "often": (2,) * 10}, messages={})
    assert costs.of_tell("often") == (2,) * 10
    assert costs.of_tell("rare") == [2] * 10 + [1] * 9 == costs.of_tell("never")
    assert costs.of_message(1) == [0], "nothing measured costs nothing"


def test_finality_is_slower_by_what_the_way_of_a_block_takes() -> None:
    """A proposal, a vote and a second vote go there: 3 messages. Verdict, vote, the others' votes, certificate, and
    from there on the same without verdict: 8 events. Block here and there, vote, certificate, vote: 5 writes."""
    free = run(FOUR, costs=Costs(write=(1,), tells={}, messages={})).finality_ms
    paced = run(FOUR, costs=FLAT).finality_ms
    assert free.p50 is not None and paced.p50 is not None
    assert paced.p50 - free.p50 == pytest.approx(3 * 20 + 8 * 7 + 5 * 3, abs=10)


def test_a_run_with_costs_is_the_same_each_time_and_passes() -> None:
    first, second = run(FOUR, costs=FLAT), run(FOUR, costs=FLAT)
    assert first.passed and first.trace_hash == second.trace_hash != run(FOUR).trace_hash
    assert "measured costs" in first.notes[0]


def test_journals_give_back_the_costs_that_they_were_made_with(tmp_path: Path) -> None:
    """By the simulator itself, whose journals have whole milliseconds."""
    scenario = changed(FOUR, profile="constant")
    run(scenario, tmp_path, costs=FLAT, trace_file=False, journals=True)
    base_us = links_us(scenario)
    journals = sorted((tmp_path / "journals").glob("*.journal"))
    last_ms = max(each.now for each in read_journal(journals[0])[1])

    def measured(from_ms: int) -> Costs:
        return costs_of(journals, [3_000] * 100, lambda one, other: base_us[one][other], from_ms)

    found, half = measured(0), measured(last_ms - 90_000)
    for kind in ("BroadcastVote", "VoteMessage", "Verdict", "Assembled"):
        assert fmean(found.tells[kind]) == pytest.approx(7_000, abs=600), kind
    assert fmean(found.messages[2]) == pytest.approx(20_000, abs=600)
    assert len(found.messages[2]) > 1_000
    assert len(half.messages[2]) == pytest.approx(len(found.messages[2]) / 2, rel=0.05), "of three minutes"


def test_the_meter_writes_as_a_service_does(tmp_path: Path) -> None:
    with WriteMeter(tmp_path) as meter:
        pass
    assert meter.took_us and all(took_us > 0 for took_us in meter.took_us)
    assert (tmp_path / "writes.db").exists()
