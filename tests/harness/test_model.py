"""The model of section 4: safe in every state, rule by rule; and what simulated nodes do is what it lets them."""

from __future__ import annotations

from typing import Any

import pytest

from harness.hunt.judge import RunVerdict, judge
from harness.invariants import Diverged
from harness.reference.conformance import CONFORMANCE, Conformance
from harness.reference.model import (
    FINALIZE_IN_TIME,
    FINALIZE_NO_SKIP,
    FINALIZE_NOT_SKIPPED,
    NOTARIZE_IN_TIME,
    NOTARIZE_NO_SKIP,
    ONE_NOTARIZE,
    RULES,
    SKIPS_HELD,
    Model,
)
from harness.reference.modelsearch import search
from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP, Vote
from lucid.machines.effects import EnteredView, Fact, Signed, TimedOut
from sim.faults.crash import Crash
from sim.faults.double_vote import DoubleVote
from sim.faults.equivocate import Equivocate
from sim.faults.fault import Fault
from sim.faults.loss import Loss
from sim.faults.partition import Partition
from sim.faults.power_cut import PowerCut
from sim.scenario import Scenario
from sim.trace import Trace
from sim.world import World


def test_four_with_one_traitor_agree_in_every_state_of_two_views() -> None:
    found = search(Model(3, 1))
    assert not found.trail
    assert (found.states, found.depth, found.final) == (140_373, 21, 14_798)


def test_one_view_with_two_blocks_is_safe_as_well() -> None:
    assert not search(Model(3, 1, (2,))).trail
    # Within one view a second notarize alone does no harm: each signs one finalize.
    assert not search(Model(3, 1, (2,), RULES - {ONE_NOTARIZE})).trail


@pytest.mark.parametrize("rule", [SKIPS_HELD, FINALIZE_NO_SKIP])
def test_without_a_rule_that_safety_rests_on_two_blocks_become_final(rule: str) -> None:
    model = Model(3, 1, rules=RULES - {rule})
    found = search(model)
    assert len(found.trail) == found.depth + 1 and model.disagreement(found.trail[-1])


@pytest.mark.parametrize("rule", [FINALIZE_IN_TIME, FINALIZE_NOT_SKIPPED, NOTARIZE_IN_TIME, NOTARIZE_NO_SKIP])
def test_a_rule_that_the_vote_log_holds_too_can_be_left_out(rule: str) -> None:
    """Why no seed can miss `no-finalize-late`, `no-finalize-after-skip` and `no-notarize-late`."""
    assert not search(Model(3, 1, rules=RULES - {rule})).trail


def test_two_traitors_of_four_break_it() -> None:
    model = Model(2, 2, (2,))
    assert model.disagreement(search(model).trail[-1])


def test_what_is_not_exhausted_is_an_error() -> None:
    with pytest.raises(OverflowError, match="more than 1,000 states"):
        search(Model(3, 1), most=1_000)


# -- the machines do what the model lets them --------------------------------------------------------------------

FAST = {"block_interval_ms": 1_000, "slot_duration_ms": 3_000, "slot_timeout_ms": 1_000, "max_clock_drift_ms": 400}
DISTURBED: list[list[Fault]] = [
    [],
    [Loss(percent=30.0), Crash(node=1, at=4_000, until=7_000)],
    [Partition(groups=[[0, 1], [2, 3]], at=3_000, until=9_000)],
    [PowerCut(node=1, effects=20, back_ms=[1, 700, 90], at=4_000), Loss(percent=10.0)],
    [Equivocate(node=2)],
    [DoubleVote(node=2, how="both"), Loss(percent=20.0)],
]


def conforms(faults: list[Fault], seed: int) -> tuple[Any, Conformance]:
    """The outcome of a run that is held against the model."""
    keys: dict[str, Any] = {"profile": "lan", "parameters": FAST, "calm": "15s", "duration": "1h", "seed": seed}
    held: list[Conformance] = []

    def watch(world: World) -> None:
        held.append(Conformance(world))
        world.watchers.append(held[0])

    return judge(Scenario(name="hunt", nodes=4, fault=faults, **keys), prepare=watch), held[0]


@pytest.mark.parametrize("faults", DISTURBED, ids=lambda faults: " ".join(each.kind for each in faults) or "none")
def test_every_step_of_an_honest_node_is_one_of_the_models(faults: list[Fault]) -> None:
    for seed in (1, 2, 3):
        outcome, held = conforms(faults, seed)
        assert outcome.verdict is RunVerdict.PASS, outcome
        assert held.steps > 100


ID, SIGNATURE = bytes(32), bytes(64)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ([Signed(Vote(0, 1, SKIP, b"", ID, SIGNATURE))], "n00 signs 2 in view 1, being in 1, in time"),
        ([EnteredView(0, 2, True)], "n00 enters view 2 without a skip of 1"),
        ([EnteredView(0, 3, False)], "n00 enters view 3 without a certificate"),
        ([Signed(Vote(0, 1, FINALIZE, ID, ID, SIGNATURE))], "n00 signs 3 in view 1, being in 1, not notarized"),
        ([TimedOut(0, 1), *[Signed(Vote(0, 1, SKIP, b"", ID, SIGNATURE))] * 2], "being in 1, again"),
        ([TimedOut(0, 1), Signed(Vote(0, 1, NOTARIZE, ID, ID, SIGNATURE))], "being in 1, too late"),
        ([TimedOut(0, 2)], "n00 times out in view 2"),
    ],
)
def test_a_node_that_leaves_the_rules_is_seen_at_its_first_step(facts: list[Fact], says: str) -> None:
    world = World(Scenario(nodes=4), Trace())
    held = Conformance(world)
    for fact in facts[:-1]:
        held.on_fact(0, world.nodes[0], fact)
    with pytest.raises(Diverged, match=CONFORMANCE) as broken:
        held.on_fact(0, world.nodes[0], facts[-1])
    assert says in broken.value.detail
