"""Damaged disks: a node stops where it meets a row that cannot be read, and comes back with a new card."""

from __future__ import annotations

from typing import Any

import pytest

from harness.hunt.judge import RunVerdict, judge
from lucid.machines.chain import BLOCK_TABLE, HEIGHT_TABLE, ROOT_KEY, ROOT_TABLE, height_key
from sim.disk import Damaged, Disk
from sim.faults.fault import Fault
from sim.faults.misdirected import Misdirected
from sim.faults.rot import SHARED, Rot
from sim.faults.torn import Torn
from sim.scenario import Scenario
from sim.trace import Trace
from sim.world import World

FAST = {"block_interval_ms": 1_000, "slot_duration_ms": 3_000, "slot_timeout_ms": 1_000, "max_clock_drift_ms": 400}


def network(*faults: Fault, **values: Any) -> Scenario:
    """Four nodes, disturbed for fifteen seconds."""
    keys: dict[str, Any] = {"profile": "lan", "anchor_every_ms": 500, "parameters": FAST, "calm": 15_000, "nodes": 4}
    return Scenario(name="hunt", duration="1h", fault=list(faults), **(keys | values))


def test_a_damaged_row_cannot_be_read_until_it_is_written_anew() -> None:
    disk = Disk()
    disk.write([("a", b"1", b"x"), ("a", b"2", b"y"), ("b", b"1", b"z")])
    disk.damage([("a", b"1")])
    for read in (lambda: disk.get("a", b"1"), lambda: list(disk.scan("a"))):
        with pytest.raises(Damaged):
            read()
    assert disk.get("a", b"2") == b"y" and list(disk.scan("b")) == [(b"1", b"z")]
    assert disk.peek("a", b"1") == b"x", "who looks on from outside sees what was written"
    disk.write([("a", b"1", b"new")])
    assert disk.get("a", b"1") == b"new"


def test_a_node_that_meets_rot_stops_and_comes_back_with_a_new_card() -> None:
    world = World(network(Rot(node=1, percent=100, at=5_000, until=12_000)), Trace())
    world.start()
    world.run(4_999)
    card = world.nodes[1].manager_disk
    assert world.nodes[1].up and card.keys(BLOCK_TABLE)
    world.run(5_001)
    world.nodes[1].restart()
    assert not world.nodes[1].up and world.nodes[1].held, "its chain cannot be loaded"
    world.run(14_000)
    assert world.nodes[1].up and world.nodes[1].manager_disk is not card


def test_a_torn_write_is_met_when_it_is_read() -> None:
    world = World(network(Torn(node=2, at=4_000, until=12_000, down_ms=500)), Trace())
    world.start()
    node = world.nodes[2]
    world.run(4_400)
    assert not node.up and node.rotten
    world.run(11_900)
    assert node.rotten
    world.run(14_000)
    assert node.up and not node.rotten


def test_a_misdirected_write_leaves_its_row_as_it_was_and_another_that_cannot_be_read() -> None:
    disk = Disk()
    disk.write([("a", b"1", b"x"), ("a", b"2", b"y")])
    disk.sync()
    disk.write([("a", b"1", b"new"), ("a", b"3", b"z")])
    disk.misdirect(("a", b"1"), ("a", b"2"))
    disk.sync()
    disk.crash()
    assert (disk.get("a", b"1"), disk.get("a", b"3")) == (b"x", b"z"), "it is safe, and reads well"
    assert disk.peek("a", b"1") == b"new", "who looks on from outside sees what was meant"
    with pytest.raises(Damaged):
        disk.get("a", b"2")
    disk.write([("a", b"1", b"newest")])
    assert disk.get("a", b"1") == disk.peek("a", b"1") == b"newest"


def test_a_node_goes_on_after_a_misdirected_write_until_it_starts_from_its_card() -> None:
    world = World(network(Misdirected(node=1, at=4_000, until=12_000, stop_ms=500)), Trace())
    world.start()
    node = world.nodes[1]
    world.run(4_400)
    assert node.manager is not None and node.rotten, "it holds in memory what it knows"
    world.run(11_900)
    assert node.rotten
    world.run(14_000)
    assert node.up and not node.rotten


@pytest.mark.parametrize("votes", ["kept", "lost"])
@pytest.mark.parametrize("effects", [0, 5, 9, 20, 33])
def test_a_network_lives_with_misdirected_writes(effects: int, votes: Any) -> None:
    fault = Misdirected(node=2, effects=effects, at=4_000, until=12_000, stop_ms=1, votes=votes)
    assert judge(network(fault)).verdict is RunVerdict.PASS


def test_a_node_whose_root_is_an_older_one_stays_down_until_it_has_a_new_card() -> None:
    """What reads well, and is not what was written last, is told by what the other rows hold."""
    world = World(network(Misdirected(node=1, at=4_000, until=12_000, stop_ms=60_000)), Trace())
    world.start()
    node = world.nodes[1]
    world.run(6_000)
    older = world.nodes[0].manager_disk.peek(HEIGHT_TABLE, height_key(1))
    node.manager_disk.write([(ROOT_TABLE, ROOT_KEY, older)])
    node.manager_disk.sync_all()
    node.restart()
    assert not node.up and node.held
    world.run(14_000)
    assert node.up


@pytest.mark.parametrize("votes", ["kept", "lost"])
@pytest.mark.parametrize("percent", [1, 10, 100])
def test_a_network_lives_with_rot(percent: int, votes: Any) -> None:
    assert judge(network(Rot(node=1, percent=percent, votes=votes, at=5_000, until=9_000))).verdict is RunVerdict.PASS


@pytest.mark.parametrize("effects", [0, 5, 9, 20, 33])
def test_a_network_lives_with_torn_writes(effects: int) -> None:
    assert judge(network(Torn(node=2, effects=effects, at=4_000, until=12_000, down_ms=1))).verdict is RunVerdict.PASS


def test_the_ledger_is_never_damaged_since_others_read_it() -> None:
    world = World(network(Rot(node=1, percent=100, at=5_000)), Trace())
    world.start()
    world.run(5_100)
    disk = world.nodes[1].manager_disk
    for table in SHARED:
        assert list(disk.scan(table))
    with pytest.raises(Damaged):
        list(disk.scan(BLOCK_TABLE))
