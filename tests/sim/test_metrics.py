"""The metrics document: what it says of a run agrees with itself, with the world, and with arithmetic done by hand."""

from __future__ import annotations

from array import array
from statistics import fmean, pstdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid.machines.effects import BlockFinal, EnteredView, Proposed, TimedOut
from sim.metrics import MAX_CDF_POINTS, Metrics, _cdf, _gini, _mean_deviation, _quantiles, leader_shares
from sim.scenario import Fault, Scenario
from sim.trace import Trace
from sim.world import World
from tests.runs import Run, passed, scenario

samples = st.lists(st.integers(0, 10**9), max_size=300)


@pytest.fixture(scope="module")
def constant() -> Run:
    """Five minutes of four nodes, each 100 ms from each other."""
    return passed(scenario(nodes=4, duration="5m", profile="constant"))


# -- arithmetic --------------------------------------------------------------------------------------------------


@given(samples)
def test_a_quantile_is_the_least_sample_that_so_many_do_not_exceed(values: list[int]) -> None:
    found = _quantiles(array("q", values))
    for name, per in (("p50", 500), ("p90", 900), ("p99", 990), ("max", 1_000)):
        if not values:
            assert found[name] == 0
            continue
        least = next(value for value in sorted(values) if sum(v <= value for v in values) * 1_000 >= per * len(values))
        assert found[name] == least / 1_000


@given(samples)
def test_mean_and_deviation(values: list[int]) -> None:
    found = _mean_deviation(values)
    assert found["mean"] == pytest.approx(fmean(values) if values else 0, abs=1e-2)
    assert found["deviation"] == pytest.approx(pstdev(values) if values else 0, rel=1e-6, abs=1e-2)


@given(st.lists(st.integers(0, 500), min_size=1, max_size=40))
def test_gini_is_half_the_relative_mean_difference(counts: list[int]) -> None:
    differences = sum(abs(a - b) for a in counts for b in counts)
    expected = differences / (2 * len(counts) * sum(counts)) if sum(counts) else 0.0
    assert _gini(counts) == pytest.approx(expected, abs=1e-4)


@given(samples)
def test_a_cdf_rises_to_one_in_few_points(values: list[int]) -> None:
    points = _cdf(array("q", values))
    assert len(points) <= MAX_CDF_POINTS
    assert points == sorted(points)
    for at_ms, share in points:
        assert share == pytest.approx(sum(v <= at_ms * 1_000 for v in values) / len(values), abs=1) and 0 < share <= 1
    assert bool(points) == bool(values)
    if values:
        assert points[-1] == [max(values) / 1_000, 1.0]


def test_leader_shares_name_every_node() -> None:
    chain = [[height, 0, height, 0, 0, 0, maker, 0] for height, maker in enumerate([2, 0, 2, 2], 1)]
    assert [(each["name"], each["blocks"], each["ppm"]) for each in leader_shares(chain, 3)] == [
        ("n00", 1, 250_000),
        ("n01", 0, 0),
        ("n02", 3, 750_000),
    ]


# -- facts by hand -----------------------------------------------------------------------------------------------


def watched(nodes: int = 3) -> tuple[World, Metrics]:
    world = World(Scenario(nodes=nodes, anchor_every_ms=0), Trace())
    return world, Metrics(world)


def test_a_view_is_missed_once_however_many_nodes_leave_it() -> None:
    world, metrics = watched()
    for node in world.nodes:
        metrics.on_fact(7_000_000, node, TimedOut(0, 4))
        metrics.on_fact(8_000_000, node, EnteredView(0, 5, True))
        metrics.on_fact(9_000_000, node, EnteredView(0, 6, False))
    document = metrics.document(1.0)
    assert (document["missed_views"], document["timeouts"]) == (1, 3)
    assert document["series"]["skips"] == [[0, 4, 8_000]]


def test_catching_up_after_a_crash_is_no_finality_latency() -> None:
    world, metrics = watched()
    one, other = world.nodes[:2]
    fault = Fault("crash", at="1s", until="9s", node=1)
    metrics.height = 1  # only the first node to finalise a height looks at the block itself
    metrics.on_fact(2_000_000, one, Proposed(0, 1, 1, b"a" * 32))
    metrics.on_fact(2_300_000, one, BlockFinal(0, 1, 1, b"a" * 32))
    metrics.on_fault(9_000_000, fault, False)
    metrics.on_fact(9_500_000, other, BlockFinal(0, 1, 1, b"a" * 32))
    assert list(metrics.finality_us) == [300_000]
    metrics.on_fact(10_000_000, one, Proposed(0, 2, 1, b"b" * 32))
    metrics.on_fact(10_400_000, other, BlockFinal(0, 2, 1, b"b" * 32))
    assert list(metrics.finality_us) == [300_000, 400_000]


# -- a whole run -------------------------------------------------------------------------------------------------


def test_in_the_good_case_finality_takes_three_one_way_delays(constant: Run) -> None:
    document = constant.document
    assert document["one_way_delay_ms"] == 100
    assert document["finality_ratio"] == pytest.approx(document["finality_ms"]["p50"] / 300, abs=1e-4)
    assert 1.0 <= document["finality_ratio"] <= 1.1
    assert 100 <= document["propagation_ms"]["p50"] <= 120


def test_the_chain_is_told_in_order(constant: Run) -> None:
    chain = constant.chain
    assert [block.height for block in chain] == list(range(1, len(chain) + 1))
    assert constant.document["blocks"] == {"final": 29, "height": 29, "forked": 0, "epoch": 0}
    for block in chain:
        assert block.view == block.height
        assert block.tick_ms <= block.proposed_ms < block.final_ms <= block.tick_ms + 1_000
    assert constant.document["interval_ms"]["mean"] == pytest.approx(10_000, abs=50)
    assert sum(block.transactions for block in chain) >= constant.document["sessions"]["final"]


def test_parts_add_up_to_their_totals(constant: Run) -> None:
    document, network = constant.document, constant.world.network
    traffic = document["traffic"]
    assert sum(each["messages"] for each in traffic["by_kind"]) == traffic["messages"] == sum(network.messages)
    assert sum(each["bytes"] for each in traffic["by_kind"]) == traffic["bytes"]
    assert traffic["messages_per_node_block"] == pytest.approx(traffic["messages"] / (4 * 29), abs=0.01)
    assert {"Proposal", "VoteMessage", "CertificateMessage", "Transactions"} <= {e["kind"] for e in traffic["by_kind"]}
    assert document["events"] == network.deliveries <= traffic["messages"]
    assert sum(each["blocks"] for each in document["leaders"]["shares"]) == 29
    sessions = document["sessions"]
    assert sessions["submitted"] == 300 and sessions["refused"] == 0
    assert sessions["final"] + sessions["waiting"] + 1 >= 300, "one may still be on its way to the disk"


def test_a_run_without_blocks_has_figures_too() -> None:
    document: dict[str, Any] = passed(scenario("one-node", duration="5s")).document
    assert document["blocks"]["final"] == 0
    assert document["finality_ratio"] is None
    assert document["finality_ms"]["p50"] == document["interval_ms"]["mean"] == document["leaders"]["gini"] == 0
