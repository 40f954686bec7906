"""Blocks that a leader signs though they are not valid: each is refused, and the chain goes on by the others."""

from __future__ import annotations

from typing import get_args

import pytest

from lucid.chain.blocks import Header
from lucid.chain.errors import Code
from lucid.machines.effects import BlockFinal, Fact, Proposed, Refused
from sim.faults.fault import Fault
from sim.faults.invalid_block import InvalidBlock, Wrong
from sim.node import Node
from sim.scenario import Scenario
from sim.trace import Trace
from sim.world import World

FAST = {"block_interval_ms": 1_000, "slot_duration_ms": 3_000, "slot_timeout_ms": 1_000, "max_clock_drift_ms": 400}
WRONG = get_args(Wrong)


class Observer:
    """Keeps what was refused, and which blocks were put forward by the traitor and became final."""

    def __init__(self) -> None:
        self.refused: set[Code] = set()
        self.proposed: set[bytes] = set()
        self.final: set[bytes] = set()

    def on_fact(self, now_us: int, node: Node, fact: Fact) -> None:
        """See `Watcher`."""
        if isinstance(fact, Refused) and node.index:
            self.refused.add(fact.code)
        elif isinstance(fact, Proposed) and not node.index:
            self.proposed.add(fact.hash)
        elif isinstance(fact, BlockFinal):
            self.final.add(fact.hash)

    def on_accepted(self, now_us: int, node: Node, transaction: bytes) -> None:
        """See `Watcher`."""

    def on_fault(self, now_us: int, fault: Fault, begins: bool) -> None:
        """See `Watcher`."""


@pytest.mark.parametrize("wrong", WRONG)
def test_a_block_that_is_not_valid_in_one_thing_is_refused(wrong: Wrong) -> None:
    fault = InvalidBlock(node=0, wrong=wrong)
    scenario = Scenario(name="hunt", nodes=4, profile="lan", parameters=FAST, duration="20s", fault=[fault])
    world, seen = World(scenario, Trace()), Observer()
    world.watchers.append(seen)
    world.start()
    world.run(20_000)
    assert seen.proposed and len(seen.final) >= 8
    # A parent that nobody has is asked for in vain; honest nodes send nothing that is refused.
    assert seen.refused or wrong == "parent"
    assert not seen.proposed & seen.final


def test_each_thing_that_a_header_says_can_be_wrong() -> None:
    assert set(WRONG) == {*Header.__struct_fields__, "signature"}
