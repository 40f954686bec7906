"""A network that is split anew in each of its first views, with twins: what is sent stays within the groups."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.hunt.judge import RunVerdict, judge
from lucid.chain.votes import NOTARIZE
from lucid.machines.effects import BlockFinal, Fact, Proposed, Signed
from sim.faults.fault import Fault
from sim.faults.rounds import Rounds
from sim.node import Node
from sim.scenario import Scenario
from sim.scenariochecks import changed
from sim.scenarioerror import ScenarioError
from sim.world import World

FAST = {"block_interval_ms": 1_000, "slot_duration_ms": 12_000, "slot_timeout_ms": 1_000, "max_clock_drift_ms": 400}


class Proposals:
    """Keeps who put a block forward, by view, and how many views of one's own became final."""

    def __init__(self) -> None:
        self.by_view: dict[int, set[int]] = {}
        self.final: set[int] = set()
        self.voters: set[int] = set()
        """Who notarized in view 1."""

    def on_fact(self, now_us: int, node: Node, fact: Fact) -> None:
        """See `Watcher`."""
        if isinstance(fact, Proposed) and not fact.epoch:
            self.by_view.setdefault(fact.view, set()).add(node.index)
        elif isinstance(fact, Signed) and (fact.vote.epoch, fact.vote.view, fact.vote.kind) == (0, 1, NOTARIZE):
            self.voters.add(node.index)
        elif isinstance(fact, BlockFinal) and not fact.epoch:
            self.final.add(fact.view)

    def on_accepted(self, now_us: int, node: Node, transaction: bytes) -> None:
        """See `Watcher`."""

    def on_fault(self, now_us: int, fault: Fault, begins: bool) -> None:
        """See `Watcher`."""


def seen(leaders: list[int], split: list[list[list[int]]], late: Sequence[bool] = ()) -> Proposals:
    """What came of these rounds; the run must be safe, and come back."""
    fault = Rounds(node=0, leaders=leaders, split=split, late=list(late))
    scenario = Scenario(
        name="rounds", nodes=4, profile="lan", parameters=FAST, fault=[fault], anchor_every_ms=0, calm=12_000,
        duration="1h",
    )  # fmt: skip
    proposals = Proposals()

    def watch(world: World) -> None:
        world.watchers.append(proposals)

    assert judge(scenario, prepare=watch).verdict is RunVerdict.PASS
    return proposals


TOGETHER = [[0, 1, 2, 3, 4]]


def test_who_is_named_leads_on_every_branch_and_after_that_the_schedule() -> None:
    found = seen([2, 2, 3, 1], [TOGETHER] * 4)
    assert [found.by_view[view] for view in (1, 2, 3, 4)] == [{2}, {2}, {3}, {1}]
    assert len(found.by_view) > 4 and found.final >= {1, 2, 3, 4}


def test_twins_lead_each_in_their_group_and_what_a_minority_hears_is_not_final() -> None:
    found = seen([0, 1], [[[0, 1], [2, 3, 4]], TOGETHER])
    assert found.by_view[1] == {0, 4}, "each puts a block forward"
    alone = seen([1, 2], [[[1], [0, 2, 3, 4]], TOGETHER])
    assert 1 not in alone.final and 2 in alone.final, "a leader whom nobody hears is passed over"


def test_proposals_pass_a_late_split_and_votes_for_them_do_not() -> None:
    apart = [[[0, 4, 1], [2, 3]], TOGETHER]
    assert seen([1, 2], apart).voters == {0, 1, 4}
    assert seen([1, 2], apart, [True]).voters == {0, 1, 2, 3, 4}


def test_a_view_in_which_no_quorum_can_meet_ends_when_its_patience_is_over() -> None:
    found = seen([1, 2], [[[0, 1], [2, 3], [4]], TOGETHER])
    assert 2 in found.final


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"split": [[[0, 1, 2, 3]]]}, "each of the nodes 0 to 4 once"),
        ({"split": [[[0, 1, 2], [2, 3, 4]]]}, "each of the nodes 0 to 4 once"),
        ({"split": [[[0, 1, 2, 3, 4]]], "late": [True, False]}, "of 2 splits whether they are late"),
        ({"leaders": [4]}, "leaders"),
        ({"leaders": []}, "leaders"),
    ],
)
def test_groups_have_every_node_once_and_leaders_are_nodes(keys: dict[str, object], says: str) -> None:
    quiet = Scenario(name="rounds", nodes=4)
    with pytest.raises(ScenarioError, match=says):
        changed(quiet, fault=[{"kind": "rounds", "node": 0, "at": 0, **keys}])
