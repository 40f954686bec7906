"""Faults of the leader: who that is, in scenarios and in words, and what is refused."""

from __future__ import annotations

import re

import pytest

from sim.faults import KINDS
from sim.faults.crash import Crash
from sim.faults.fault import ByzantineFault, Fault, NodeFault
from sim.scenario import Scenario
from sim.scenariochecks import changed
from sim.scenarioerror import ScenarioError
from sim.scenariofile import dump, parse
from sim.scenarioschema import schema
from sim.words import with_words
from tests.runs import Run, run, scenario

NEEDED = {
    "cap": "kbps=500",
    "chunk_rot": "percent=30",
    "clock": "offset_ms=500",
    "crash_at": "effects=5",
    "drift": "ppm=50",
    "smear": "offset_ms=50 over_ms=1000",
    "half_synced": "effects=5",
    "rot": "percent=1",
    "selective": "to=1",
    "slow_cpu": "times=2",
    "stall": "stall_ms=20",
}
"""What some kinds need beside their node."""
OF_NODE = sorted(kind for kind, each in KINDS.items() if issubclass(each, NodeFault))
HONEST = [kind for kind in OF_NODE if not issubclass(KINDS[kind], ByzantineFault)]
FIVE = scenario(nodes=5, duration="3m")


def began(found: Run) -> list[Fault]:
    """The faults that began, as they were told."""
    return [fault for _, fault, begins in found.recorder.faults if begins]


@pytest.mark.parametrize("at", ["61s", "87s", "104s"])
def test_the_leader_is_who_would_have_put_the_next_block_forward(at: str) -> None:
    chain = run(FIVE).result.series.chain
    at_ms = int(at.removesuffix("s")) * 1_000
    next_block = next(block for block in chain if block.proposed_ms > at_ms)
    found = run(with_words(FIVE, faults=[f"crash role=leader at={at} until=2m"]))
    [fault] = began(found)
    assert isinstance(fault, Crash) and fault.node == next_block.leader
    assert found.result.passed, found.result.reason
    missed = [block for block in found.result.series.chain if block.height == next_block.height]
    assert missed[0].leader != next_block.leader, "it put nothing forward"


def test_each_begins_with_the_leader_of_its_moment_and_the_scenario_stays_as_it_was() -> None:
    faults = [f"slow_cpu times=2 role=leader at={second}s until={second + 5}s" for second in range(30, 150, 20)]
    asked = with_words(FIVE, faults=faults)
    found = run(asked)
    assert len({fault.node for fault in began(found) if isinstance(fault, NodeFault)}) > 1, "leaders change"
    assert all(fault.of_leader for fault in asked.fault if isinstance(fault, NodeFault))


def test_words_and_files_say_the_same() -> None:
    by_words = with_words(Scenario(), faults=["crash role=leader at=10m until=20m"])
    assert by_words == with_words(Scenario(), faults=["crash node=leader at=10m until=20m"])
    assert parse(dump(by_words), "dumped") == by_words
    assert '\nnode = "leader"\n' in dump(by_words)
    node = schema()["$defs"]["Crash"]["properties"]["node"]
    assert node["anyOf"] == [{"type": "integer"}, {"enum": ["leader"]}]


@pytest.mark.parametrize("kind", HONEST)
def test_every_fault_of_an_honest_node_can_be_the_leaders(kind: str) -> None:
    words = f"{kind} role=leader at=1m until=70s {NEEDED.get(kind, '')}"
    asked = with_words(changed(FIVE, duration="2m"), faults=[words])
    found = run(asked)
    [fault] = began(found)
    assert isinstance(fault, NodeFault) and fault.node in range(5)
    assert found.result.passed, found.result.reason


@pytest.mark.parametrize("kind", sorted(set(OF_NODE) - set(HONEST)))
def test_who_is_byzantine_is_known_from_the_start(kind: str) -> None:
    more = {"eclipse": "victim=1", "twin": "sees=1"}.get(kind, NEEDED.get(kind, ""))
    with pytest.raises(ScenarioError, match=f"{kind} needs a node's index"):
        with_words(FIVE, faults=[f"{kind} role=leader at=1m {more}"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("crash role=leader until=20m", "fault[0].at: nobody leads before the start"),
        ("power_cut role=leader at=1m", "no role 'leader'"),
        ("crash node=boss at=1m", "node"),
        ("crash role=boss", "there are leader (of the view when the fault begins), f "),
    ],
)
def test_what_is_wrong_is_named(words: str, says: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(says)):
        with_words(FIVE, faults=[words])


def test_a_fault_that_finds_no_leader_says_so() -> None:
    down = [f"crash node={node} at=50s until=70s" for node in range(5)]
    found = run(with_words(FIVE, faults=[*down, "crash role=leader at=1m until=90s"]))
    assert len(began(found)) == 5
    assert "crash the leader would begin at 60 s, when no node was in a view: it never happened" in found.result.notes
