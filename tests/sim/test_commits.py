"""Writes go in groups: what comes during a commit shares the next one; the machines of a node share a device."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.clock import Moment, VirtualClock
from sim.commits import Commits
from tests.runs import passed, scenario

TAKES_US = 1_000


class Trial:
    """Machines that write at given moments to one device, each of whose commits takes as long."""

    def __init__(self, machines: int) -> None:
        self.clock = VirtualClock()
        self.durable: dict[int, int] = {}
        self.free_us = 0
        self.begun = 0
        self.machines = [Commits(self.clock, self.takes_us) for _ in range(machines)]

    def takes_us(self) -> int:
        self.begun += 1
        self.free_us = max(self.free_us, self.clock.now_us) + TAKES_US
        return self.free_us - self.clock.now_us

    def write(self, machine: int, number: int, _: Moment) -> None:
        commit = self.machines[machine].put()
        assert not commit.done
        commit.then.append(lambda: self.durable.update({number: self.clock.now_us}))


def durable_at(writes: list[tuple[int, int]], machines: int = 1) -> list[int]:
    """When each of (moment, machine) is durable."""
    trial = Trial(machines)
    for number, (at_us, machine) in enumerate(writes):
        trial.clock.after(at_us, partial(trial.write, machine, number))
    trial.clock.run_until(1_000_000)
    return [trial.durable[number] for number in range(len(writes))]


def test_what_comes_during_a_commit_shares_the_next_one() -> None:
    assert durable_at([(0, 0), (10, 0), (900, 0), (2_500, 0)]) == [1_000, 2_000, 2_000, 3_500]


def test_machines_of_a_node_share_its_device() -> None:
    assert durable_at([(0, 0), (10, 1), (20, 0), (30, 1)], machines=2) == [1_000, 2_000, 3_000, 4_000]


@given(st.lists(st.integers(0, 9_000), min_size=1, max_size=20))
def test_commits_of_one_machine_by_definition(moments: list[int]) -> None:
    ends: list[int] = []
    expected = []
    for at_us in sorted(moments):
        under_way = [end for end in ends if end > at_us]
        if not under_way:
            ends.append(at_us + TAKES_US)
        elif len(under_way) == 1:
            ends.append(under_way[0] + TAKES_US)
        expected.append(ends[-1])
    # At the moment when a commit ends, either order of that and a write is one: none falls on it here.
    if not set(moments) & set(ends):
        assert durable_at([(at_us, 0) for at_us in sorted(moments)]) == expected


@pytest.mark.parametrize("faults", [[], [{"kind": "crash", "node": 1, "at": "20s", "until": "40s"}]])
def test_a_busy_network_on_cards_goes_on_and_is_reproducible(faults: list[dict[str, Any]]) -> None:
    run = passed(scenario(nodes=4, duration="60s", profile="lan", disk="microsd", anchor_every_ms=20, fault=faults))
    runners = [runner for node in run.world.nodes for runner in (node.manager, node.engine)]
    assert all(runner is not None and len(runner._handed) <= len(runner._queue) for runner in runners)
    again = passed(scenario(nodes=4, duration="60s", profile="lan", disk="microsd", anchor_every_ms=20, fault=faults))
    assert run.document["trace_hash"] == again.document["trace_hash"]
