"""What must hold of chunks: what breaks it is found, by each of the invariants and by the hunt."""

from __future__ import annotations

from typing import Any

import pytest

from harness.durability import COUNTED, READABLE, RESTORED, RIGHT, Durability
from harness.hunt.ablation import without
from harness.hunt.judge import judge
from harness.hunt.swarm import draw
from harness.invariants import Diverged
from harness.run import run
from harness.verdict import RunVerdict
from sim.chunkload import ChunkLoad
from sim.faults.chunk_rot import ChunkRot
from sim.faults.fault import Fault
from sim.faults.partition import Partition
from sim.scenario import Scenario
from sim.trace import Trace
from sim.world import World

LOAD = ChunkLoad(chunk_every_ms=300, most_chunks=12, least_bytes=2_000, most_bytes=90_000, scrub_ms=3_000)


def scenario(*faults: Fault, **values: Any) -> Scenario:
    """A network with chunks."""
    keys: dict[str, Any] = {"nodes": 4, "profile": "lan", "anchor_every_ms": 0, "duration": "6m", "workload": LOAD}
    return Scenario(fault=list(faults), **(keys | values))


def watched(made: Scenario) -> tuple[World, Durability]:
    """A world of it under these invariants, started and run until its chunks have their copies."""
    world = World(made, Trace())
    durability = Durability(world)
    world.watchers.append(durability)
    world.start()
    world.run(30_000)
    assert durability.settled()
    return world, durability


def broken(world: World, until_ms: int) -> str:
    """The invariant that breaks."""
    with pytest.raises(Diverged) as caught:
        world.run(until_ms)
    return caught.value.invariant


ROTS = [
    ChunkRot(node=1, percent=100.0, at="30s", until="31s"),
    ChunkRot(node=2, percent=100.0, at="30s", until="31s"),
]


def test_a_run_with_losses_passes_and_says_how_often_each_was_checked() -> None:
    found = run(scenario(*ROTS))
    assert found.verdict is RunVerdict.PASS, found.reason
    checks = {each.name: each.checks for each in found.invariants}
    assert all(checks[name] for name in (COUNTED, READABLE, RESTORED, RIGHT))
    assert {each.name for each in run(scenario(workload=None, duration="1m")).invariants}.isdisjoint({RESTORED})


def test_a_chunk_that_is_gone_after_too_few_losses_is_found() -> None:
    world, durability = watched(scenario())
    chunk = next(iter(durability.clients.acknowledged))
    for node in world.nodes:
        assert node.data is not None
        node.data.card.damage(chunk)  # as by nothing that may happen: no fault says so
    assert broken(world, 32_000) == READABLE


def test_a_read_of_wrong_bytes_is_found() -> None:
    world, durability = watched(scenario())
    durability.clients.wrong += 1
    assert broken(world, 32_000) == RIGHT


@pytest.mark.parametrize("name", ["lost-chunks-repaired", "next-holder"])
def test_copies_that_do_not_come_back_are_found(name: str) -> None:
    with without(name):
        found = run(scenario(*ROTS, nodes=3))
    assert (found.verdict, found.invariant) == (RunVerdict.DIVERGED, RESTORED), found.reason


def test_copies_that_nobody_offers_again_are_found() -> None:
    lost = Partition(groups=[[0, 1], [2, 3]], at=0, until="20s")
    assert run(scenario(lost)).verdict is RunVerdict.PASS


@pytest.mark.parametrize(("name", "seed"), [("copy-verified", 6)])
def test_the_hunt_finds_a_copy_that_counts_before_it_was_verified(name: str, seed: int) -> None:
    assert judge(draw(seed, "chunks")).verdict is RunVerdict.PASS
    with without(name):
        outcome = judge(draw(seed, "chunks"))
    assert (outcome.verdict, outcome.invariant) == (RunVerdict.DIVERGED, COUNTED), outcome.reason


@pytest.mark.parametrize("seed", [101, 110])
def test_a_read_by_way_of_another_node_is_right_whatever_became_of_a_copy_here(seed: int) -> None:
    """The copy is one that does not belong here: the hunt called such reads wrong."""
    outcome = judge(draw(seed, "chunks"))
    assert outcome.verdict is RunVerdict.PASS, outcome.reason


def test_other_profiles_store_no_chunks() -> None:
    assert all(draw(seed, name).workload is None for seed in range(20) for name in ("all", "crash", "upgrade"))
