"""What managers owe to who is behind, and to themselves, is noticed when they do not pay it."""

from __future__ import annotations

import pytest

from harness.hunt.ablation import without
from harness.hunt.duties import ANSWERED, ASKING, ONWARD, PROVEN, ROTATING
from harness.hunt.judge import RunVerdict, judge
from harness.hunt.swarm import PROFILES, draw
from sim.faults import KINDS
from sim.faults.fault import Fault
from sim.faults.self_deal import SelfDeal


@pytest.mark.parametrize(
    ("safeguard", "profile", "seed", "invariant"),
    [
        ("standing-answered", "behind", 0, ANSWERED),
        ("heights-heard", "behind", 3, ASKING),
        ("unanswered-asked-again", "behind", 3, ASKING),
        ("peers-rotate", "behind", 24, ROTATING),
        ("pages-go-on", "behind", 29, ONWARD),
        ("full-pages-go-on", "closings", 2, ASKING),
        ("closing-not-passed-over", "closings", 15, ASKING),
        ("repeat-checked", "closings", 22, PROVEN),
    ],
)
def test_a_duty_that_is_neglected_is_found_though_something_else_makes_up_for_it(
    safeguard: str, profile: str, seed: int, invariant: str
) -> None:
    scenario = draw(seed, profile)
    assert judge(scenario).verdict is RunVerdict.PASS
    with without(safeguard):
        outcome = judge(scenario)
    assert (outcome.verdict, outcome.invariant) == (RunVerdict.DIVERGED, invariant), outcome.reason


def test_a_kind_of_fault_that_is_younger_than_seeds_is_drawn_only_where_it_is_named() -> None:
    kinds = {name: {fault.kind for seed in range(40) for fault in draw(seed, name).fault} for name in PROFILES}
    assert {name for name, drawn in kinds.items() if "false_repeat" in drawn} == {"closings", "forgers"}
    assert {name for name, drawn in kinds.items() if "misdirected" in drawn} == {"cards"}
    assert {name for name, drawn in kinds.items() if "invalid_block" in drawn} == {"forgers"}
    assert kinds["closings"] <= PROFILES["closings"].kinds
    assert {name for name, drawn in kinds.items() if "self_deal" in drawn} == {"relays", "weights"}


def test_a_kind_that_no_swarm_draws_costs_no_draw_either() -> None:
    """Else all seeds of the swarms with its lane would be others."""
    never = {name for name, kind in KINDS.items() if kind.draw.__func__ is Fault.draw.__func__}  # type: ignore[attr-defined]
    assert never and {name for name in never if not KINDS[name].drawn_by_name} == set()


def test_traitors_lie_about_relays_in_every_way_that_there_is() -> None:
    drawn = [draw(seed, "relays") for seed in range(100)]
    assert all(each.relays_every_ms and each.rules is not None for each in drawn)
    lies = {fault.how for each in drawn for fault in each.fault if isinstance(fault, SelfDeal)}
    assert lies == {"friend", "silent", "greedy"}


def test_chunks_are_placed_by_weights_where_nodes_declare_some() -> None:
    drawn = [draw(seed, "weights") for seed in range(60)]
    assert all(each.workload is not None and each.relays_every_ms for each in drawn)
    assert {len(set(each.capacities)) for each in drawn} >= {0, 1, 2, 3}
