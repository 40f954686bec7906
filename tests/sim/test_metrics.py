"""The metrics document: what it says of a run agrees with itself, with the world, and with arithmetic done by hand."""

from __future__ import annotations

from typing import Any

import pytest

from lucid.machines.effects import BlockFinal, BlockValid, EnteredView, Proposed, TimedOut
from sim.figures import ChainRow, Skip
from sim.metrics import Metrics
from sim.scenario import Scenario
from sim.summary import RunSummary, leader_shares
from sim.trace import Trace
from sim.world import World
from tests.runs import Run, passed, scenario


@pytest.fixture(scope="module")
def constant() -> Run:
    """Five minutes of four nodes, each 100 ms from each other."""
    return passed(scenario(nodes=4, duration="5m", profile="constant"))


# -- facts by hand -----------------------------------------------------------------------------------------------


def test_leader_shares_name_every_node() -> None:
    chain = [ChainRow(height, 0, height, 0, 0, 0, maker, 0) for height, maker in enumerate([2, 0, 2, 2], 1)]
    assert [(each.name, each.blocks, each.ppm) for each in leader_shares(chain, 3)] == [
        ("n00", 1, 250_000),
        ("n01", 0, 0),
        ("n02", 3, 750_000),
    ]


def watched(nodes: int = 3) -> tuple[World, Metrics]:
    world = World(Scenario(nodes=nodes, anchor_every_ms=0), Trace())
    return world, Metrics(world)


def test_a_view_is_missed_once_however_many_nodes_leave_it() -> None:
    world, metrics = watched()
    for node in world.nodes:
        metrics.on_fact(7_000_000, node, TimedOut(0, 4))
        metrics.on_fact(8_000_000, node, EnteredView(0, 5, True))
        metrics.on_fact(9_000_000, node, EnteredView(0, 6, False))
    figures = RunSummary(metrics).figures(1.0)
    assert (figures.missed_views, figures.timeouts) == (1, 3)
    assert figures.series.skips == [Skip(epoch=0, view=4, at_ms=8_000)]


def test_catching_up_after_a_crash_is_no_finality_latency() -> None:
    world, metrics = watched()
    one, other = world.nodes[:2]
    metrics.height = 1  # only the first node to finalize a height looks at the block itself
    metrics.on_fact(2_000_000, one, Proposed(0, 1, 1, b"a" * 32))
    metrics.on_fact(2_300_000, one, BlockFinal(0, 1, 1, b"a" * 32))
    other.up_since_us = 9_000_000
    metrics.on_fact(9_500_000, other, BlockFinal(0, 1, 1, b"a" * 32))
    assert list(metrics.finality_us) == [300_000]
    metrics.on_fact(10_000_000, one, Proposed(0, 2, 1, b"b" * 32))
    metrics.on_fact(10_400_000, other, BlockFinal(0, 2, 1, b"b" * 32))
    assert list(metrics.finality_us) == [300_000, 400_000]


def test_what_is_valid_after_its_height_is_final_spread_late_and_is_counted() -> None:
    world, metrics = watched()
    one, other, third = world.nodes
    block = (0, 1, 1, b"a" * 32)
    metrics.height = 1  # as if somebody had finalized it first, who alone looks at the block itself
    metrics.on_fact(1_000_000, one, Proposed(*block))
    metrics.on_fact(1_100_000, other, BlockValid(*block))
    metrics.on_fact(1_300_000, one, BlockFinal(*block))
    metrics.on_fact(4_400_000, third, BlockValid(*block))
    assert list(metrics.propagation_us) == [100_000, 3_400_000] and not metrics.late_us


def test_who_was_down_when_a_block_was_proposed_catches_up_which_is_told_apart() -> None:
    world, metrics = watched()
    one, other, third = world.nodes
    third.up_since_us = 2_000_000
    block = (0, 1, 1, b"a" * 32)
    metrics.on_fact(1_000_000, one, Proposed(*block))
    metrics.on_fact(1_100_000, other, BlockValid(*block))
    metrics.on_fact(4_400_000, third, BlockValid(*block))
    assert list(metrics.propagation_us) == [100_000] and list(metrics.late_us) == [3_400_000]


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
    assert document["speed"]["delivered"] == network.deliveries <= traffic["messages"]
    assert document["speed"]["events"] > network.deliveries, "timers and disks too"
    assert sum(each["blocks"] for each in document["leaders"]["shares"]) == 29
    wire = sum(each["bytes"] + 66 * each["messages"] for each in traffic["by_kind"])
    assert traffic["wire_bytes"] >= wire, "a frame's headers for each message at least"


def test_building_a_proposal_and_making_it_durable_is_told_apart_from_its_spreading() -> None:
    def run(disk_us: int) -> dict[str, Any]:
        return passed(scenario(nodes=4, duration="3m", profile="constant", disk_us=disk_us)).document

    quick, slow = run(2_000), run(52_000)
    taken = slow["tick_to_proposal_ms"]["p50"] - quick["tick_to_proposal_ms"]["p50"]
    assert taken == pytest.approx(100, abs=4), "the block and the promise to propose it are durable before it leaves"
    waited = slow["waits"]["disk_ms"] / slow["waits"]["stores"]
    assert waited == pytest.approx(52, abs=0.1)


def test_a_run_without_blocks_has_figures_too() -> None:
    document: dict[str, Any] = passed(scenario("one-node", duration="5s")).document
    assert document["blocks"]["final"] == 0
    assert document["finality_ratio"] is None
    assert document["finality_ms"] == {"n": 0, **dict.fromkeys(("mean", "p50", "p90", "p99", "max"))}
    assert document["interval_ms"] == {"mean": None, "deviation": None}
    assert document["halts"]["longest_ms"] == 5_000
