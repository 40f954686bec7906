"""The catalog of faults: each does what it says, f traitors break nothing, more do, and blame falls on the guilty."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec import structs

from harness.hunt.judge import RunVerdict, judge
from harness.hunt.swarm import draw
from lucid.chain.errors import Code
from lucid.chain.transactions import Equivocation
from lucid.machines.effects import BlockFinal
from sim.faults import KINDS
from sim.faults.double_vote import DoubleVote
from sim.faults.drift import Drift
from sim.faults.equivocate import Equivocate
from sim.faults.false_repeat import FalseRepeat
from sim.faults.fault import Fault
from sim.faults.flapping import Flapping
from sim.faults.lying_tick import LyingTick
from sim.faults.one_way import OneWay
from sim.faults.partition import Partition
from sim.faults.poison import HOW, Poison
from sim.faults.power_cut import PowerCut
from sim.faults.replay import Replay
from sim.faults.selective import Selective
from sim.faults.shape import Shape
from sim.faults.stall import Stall
from sim.faults.twin import Twin
from sim.faults.wipe import Wipe
from sim.faultspace import FaultSpace
from sim.metrics import Metrics
from sim.node import Node
from sim.scenario import Scenario
from sim.scenariochecks import changed
from sim.scenariofile import load
from sim.trace import Trace
from sim.world import World

FAST = {"block_interval_ms": 1_000, "slot_duration_ms": 3_000, "slot_timeout_ms": 1_000, "max_clock_drift_ms": 400}
CALM_MS = 15_000


def network(*faults: Fault, nodes: int = 4, seed: int = 1, **values: Any) -> Scenario:
    """A network that is disturbed for fifteen seconds."""
    keys: dict[str, Any] = {"profile": "lan", "anchor_every_ms": 500, "parameters": FAST, "calm": CALM_MS}
    return Scenario(name="hunt", nodes=nodes, seed=seed, duration="1h", fault=list(faults), **(keys | values))


class Accused:
    """A watcher that collects the nodes which final evidence accuses, and when that was."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.nodes: set[int] = set()
        world.watchers.append(self)

    def on_fact(self, now_us: int, node: Node, fact: object) -> None:
        """See `Watcher`."""
        if isinstance(fact, BlockFinal):
            for each in self.world.block(node, fact.hash).transactions:
                if isinstance(each.payload, Equivocation):
                    self.nodes.add(self.world.index[each.payload.first.signer])

    def on_accepted(self, *_: object) -> None:
        """See `Watcher`."""

    def on_fault(self, *_: object) -> None:
        """See `Watcher`."""


def accused(scenario: Scenario) -> set[int]:
    """Whom the chain accuses in a run."""
    world = World(scenario, Trace())
    found = Accused(world)
    world.start()
    world.run(scenario.calm_ms + 20_000)
    return found.nodes


TRAITORS = [
    Twin(node=1, sees=[2]),
    Twin(node=1, sees=[0, 2, 3]),
    Equivocate(node=1),
    DoubleVote(node=1, how="everything"),
    DoubleVote(node=1, how="both"),
    Selective(node=1),
    Selective(node=1, messages=["vote", "proposal"], to=[2]),
    Selective(node=1, to=[0, 2, 3], late_ms=1_500),
    Replay(node=1, every_ms=20),
    Replay(node=1, every_ms=20, forged_percent=100),
    *[Poison(node=1, how=how) for how in HOW],
    LyingTick(node=1, ticks=1),
    LyingTick(node=1, ticks=50),
]


@pytest.mark.parametrize("fault", TRAITORS, ids=lambda fault: f"{fault.kind} {fault.text()}")
def test_one_traitor_of_four_breaks_nothing_and_none_but_it_is_blamed(fault: Fault) -> None:
    for seed in (1, 2):
        outcome = judge(network(fault, Wipe(node=2, at=6_000, until=9_000), seed=seed))
        assert outcome.verdict is RunVerdict.PASS, outcome
        assert outcome.height >= 5


@pytest.mark.parametrize(
    "fault",
    [Equivocate(node=1), DoubleVote(node=1, how="both"), DoubleVote(node=1)],
    ids=lambda fault: f"{fault.kind} {fault.text()}",
)
def test_who_signs_twice_is_noticed(fault: Fault) -> None:
    assert accused(network(fault)) == {1}


def test_more_than_f_traitors_break_safety() -> None:
    """Two of four who show each half another block and vote for both: the honest, apart, differ. One of four cannot."""
    apart = Partition(groups=[[2], [3]], until=10_000)
    for seed in range(4):
        two = judge(network(apart, Equivocate(node=0), Equivocate(node=1), seed=seed))
        assert (two.verdict, two.invariant) == (RunVerdict.DIVERGED, "agreement"), two
        assert judge(network(apart, Equivocate(node=0), seed=seed)).verdict is RunVerdict.PASS


def test_a_twin_runs_with_the_key_of_another_until_its_fault_ends() -> None:
    world = World(network(Twin(node=1, sees=[2], until=5_000)), Trace())
    first, twin = world.bodies(1)
    assert (first, twin) == (1, 4) and world.nodes[4].key == world.nodes[1].key
    assert world.byzantine == {1, 4} and world.quorum == 3 and len(world.index) == 4
    world.start()
    assert (4, 0) in world.network.cut and (4, 2) not in world.network.cut and (1, 2) in world.network.cut
    world.run(6_000)
    assert not world.nodes[4].up and world.nodes[1].up and not world.network.cut


@pytest.mark.parametrize("nodes", range(1, 8))
def test_a_power_cut_at_any_point_between_two_effects_is_survived(nodes: int) -> None:
    for effects in range(0, 60, 5):
        cut = PowerCut(node=nodes // 2, effects=effects, back_ms=[1, 400, 50], at=3_000)
        outcome = judge(network(cut, nodes=nodes, calm=6_000))
        assert outcome.verdict is RunVerdict.PASS, (effects, outcome)


def test_a_traitor_that_hears_the_forgeries_of_another_goes_on() -> None:
    """Seed 100298 of the swarm `byzantine` at commit e0a6ab8: the fault read them, and the run was called crashed."""
    faults = (DoubleVote(node=1, how="everything"), Replay(node=2, every_ms=20, forged_percent=100))
    assert judge(network(*faults, nodes=7)).verdict is RunVerdict.PASS


def test_a_swarm_never_has_more_traitors_than_its_stage_allows() -> None:
    random = Random(1)
    for kind in KINDS.values():
        for traitors in ((), (2,)):
            for _ in range(20):
                fault = kind.draw(random, FaultSpace(4, 10_000, traitors))
                if fault is not None:
                    assert fault.byzantine <= set(traitors)
                    fault.check(4)


def test_a_node_that_came_back_from_its_store_shares_no_execution() -> None:
    """Its tree is in memory in part; what another node made final since would be read from the wrong store."""
    scenario = load(str(Path(__file__).parent.parent / "harness/regressions/own-store.toml"))
    assert judge(scenario)[:-1] == judge(changed(scenario, share_execution=False))[:-1]
    assert judge(scenario).verdict is RunVerdict.PASS


def pairs(world: World) -> set[tuple[int, int]]:
    """The ordered pairs of nodes that are cut now."""
    return set(world.network.cut)


def cut_by(fault: Fault, at_ms: int = 2_000, nodes: int = 4) -> set[tuple[int, int]]:
    """What is cut at a moment of a run with one fault."""
    world = World(network(fault, nodes=nodes), Trace())
    world.start()
    world.run(at_ms)
    return pairs(world)


def test_a_link_can_be_cut_one_way() -> None:
    assert cut_by(OneWay(nodes=[0], to=[1, 2], at=1_000)) == {(0, 1), (0, 2)}


def test_flapping_parts_and_joins() -> None:
    fault = Flapping(groups=[[0], [1, 2, 3]], apart_ms=300, joined_ms=200, at=1_000, until=2_000)
    seen = [bool(cut_by(fault, at_ms)) for at_ms in (900, 1_100, 1_400, 1_600, 1_900, 2_100)]
    assert seen == [False, True, False, True, False, False]


@pytest.mark.parametrize(
    ("form", "linked"),
    [
        ("star", {(0, 1), (1, 2), (1, 3), (1, 4)}),
        ("ring", {(0, 1), (1, 2), (2, 3), (3, 4), (0, 4)}),
        ("bridge", {(0, 1), (1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)}),
        ("alone", {(0, 2), (0, 3), (0, 4), (2, 3), (2, 4), (3, 4)}),
    ],
)
def test_shapes_leave_the_links_that_they_name(form: Any, linked: set[tuple[int, int]]) -> None:
    cut = cut_by(Shape(node=1, form=form), nodes=5)
    assert {(a, b) for a in range(5) for b in range(a + 1, 5)} - cut == linked
    assert cut == {(b, a) for a, b in cut}


def test_a_drifting_clock_is_right_again_at_its_end() -> None:
    world = World(network(Drift(node=2, ppm=-100_000, at=1_000, until=6_000)), Trace())
    right_us = world.nodes[2].clock_us
    world.start()
    world.run(5_000)
    assert world.nodes[2].clock_us - right_us == -400_000
    world.run(6_100)
    assert world.nodes[2].clock_us == right_us


def test_a_stalled_disk_is_as_fast_again_at_its_end() -> None:
    world = World(network(Stall(node=2, stall_ms=700, at=1_000, until=6_000)), Trace())
    world.start()
    world.run(5_000)
    assert world.nodes[2].stalled_us == 700_000
    world.run(6_100)
    assert world.nodes[2].stalled_us == 0


@pytest.mark.parametrize(
    "fault",
    [
        OneWay(nodes=[0], to=[1, 2, 3], at=2_000),
        Flapping(groups=[[0, 1], [2, 3]], apart_ms=700, joined_ms=400, at=2_000),
        *[Shape(node=1, form=form, at=2_000) for form in ("star", "ring", "bridge", "alone")],
        Stall(node=0, stall_ms=3_000, at=2_000),
        Drift(node=0, ppm=100_000, at=2_000),
    ],
    ids=lambda fault: f"{fault.kind} {fault.text()}",
)
def test_networks_disks_and_clocks_that_fail_are_survived(fault: Fault) -> None:
    for seed in (1, 2):
        outcome = judge(network(fault, seed=seed))
        assert outcome.verdict is RunVerdict.PASS, outcome


def test_a_closing_block_on_a_forged_notarization_is_refused_and_the_chain_goes_on() -> None:
    seen: list[Metrics] = []

    def watch(world: World) -> None:
        seen.append(Metrics(world))
        world.watchers.append(seen[0])

    scenario = draw(22, "closings")
    outcome = judge(scenario, prepare=watch)
    assert outcome.verdict is RunVerdict.PASS, outcome
    assert seen[0].refusals[Code.PROPOSAL_INVALID.code] >= 1
    honest = [fault for fault in scenario.fault if not isinstance(fault, FalseRepeat)]
    seen.clear()
    judge(structs.replace(scenario, fault=honest), prepare=watch)
    assert seen[0].refusals[Code.PROPOSAL_INVALID.code] == 0
