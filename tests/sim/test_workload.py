"""The load: when clients come, and what becomes of every attempt."""

from __future__ import annotations

from random import Random
from statistics import fmean

import pytest

from sim.exponential import exponential_us
from sim.faults.crash import Crash
from sim.faults.partition import Partition
from tests.runs import passed, scenario


def test_times_between_attempts_are_exponential() -> None:
    random = Random(7)
    drawn = [exponential_us(random, 1_000_000) for _ in range(40_000)]
    assert fmean(drawn) == pytest.approx(1_000_000, rel=0.02)
    for share, quantile in ((0.1, 105_361), (0.5, 693_147), (0.9, 2_302_585), (0.99, 4_605_170)):
        assert sum(each <= quantile for each in drawn) / len(drawn) == pytest.approx(share, abs=0.01)


def test_latency_does_not_depend_on_the_phase_of_the_load() -> None:
    """At 10 s spacing of a 10 s interval, evenly spaced attempts all come just before a block, or all just after."""
    middle = {}
    for every in (9_999, 10_000):
        document = passed(scenario(nodes=4, duration="1h", anchor_every_ms=every)).document
        middle[every] = document["sessions"]["latency_ms"]["p50"]
    assert middle[9_999] == pytest.approx(middle[10_000], rel=0.25)
    assert 4_000 <= middle[10_000] <= 7_000, "half an interval, and finality"
    fixed = passed(scenario(nodes=4, duration="1h", anchor_every_ms=10_000, anchor_arrivals="fixed")).document
    assert fixed["sessions"]["latency_ms"]["p50"] > 9_000


def test_every_attempt_is_accounted_for() -> None:
    down = Crash(at="2m", until="8m", node=2)
    document = passed(scenario(nodes=4, duration="10m", fault=[down])).document
    sessions = document["sessions"]
    assert 540 <= sessions["attempts"] <= 660, "a Poisson process of one a second for ten minutes"
    assert 60 <= sessions["unreachable"] <= 120, "a quarter of six minutes"
    assert sessions["attempts"] == sessions["unreachable"] + sessions["submitted"]
    assert sessions["submitted"] == sessions["refused"] + sessions["unanswered"] + sessions["accepted"]
    assert sessions["accepted"] == sessions["final"] + sessions["waiting"]
    assert sessions["latency_ms"]["n"] == sessions["final"]
    assert sessions["waiting_ms"]["n"] == sessions["waiting"]


def test_a_session_is_final_when_the_node_that_took_it_knows() -> None:
    """Four nodes, one of them cut off for five minutes: what it accepted meanwhile waits for it, not for the others."""
    cut = Partition(groups=[[0, 1, 2], [3]], at="2m", until="7m")
    sessions = passed(scenario(nodes=4, duration="10m", fault=[cut])).document["sessions"]
    assert sessions["latency_ms"]["max"] > 290_000
