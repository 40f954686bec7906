"""A node's core is serial: what an event cost delays its own effects, and nothing leaves before its turn."""

from __future__ import annotations

from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lucid.machines.effects import Effects, Fact, Observe, Store, TimedOut
from sim.clock import Moment
from sim.disk import Disk
from sim.faults.fault import Fault
from sim.node import Node
from sim.runner import Runner
from sim.scenario import Scenario
from sim.trace import Trace
from sim.world import World


class Costly:
    """A machine whose every event costs so many microseconds of signatures, and is observed with its number."""

    def __init__(self, world: World, store: bool) -> None:
        self._world = world
        self._store = store

    def handle(self, now: int, event: tuple[int, int]) -> Effects:
        """One event (number, cost)."""
        number, cost_us = event
        self._world.crypto.spent_us += cost_us
        seen = Observe(TimedOut(0, number))
        return [Store((("table", b"k", b"v"),)), seen] if self._store else [seen]


def seen_at(events: list[tuple[int, int]], store: bool = False) -> list[int]:
    """When each of (arrival, cost) was observed, in microseconds."""
    world = World(Scenario(nodes=4, anchor_every_ms=0, duration="10s"), Trace())
    seen: dict[int, int] = {}

    class Noting:
        """Keeps when each number was observed."""

        def on_fact(self, now_us: int, node: Node, fact: Fact) -> None:
            """See `Watcher`."""
            assert isinstance(fact, TimedOut)
            seen[fact.view] = now_us

        def on_accepted(self, now_us: int, node: Node, transaction: bytes) -> None:
            """See `Watcher`."""

        def on_fault(self, now_us: int, fault: Fault, begins: bool) -> None:
            """See `Watcher`."""

    world.watchers.append(Noting())
    machine: Any = Costly(world, store)
    runner = Runner(world.nodes[0], machine, Disk(), None)
    for number, (at_us, cost_us) in enumerate(events):
        world.clock.after(at_us, partial(_arrives, runner, (number, cost_us)))
    world.clock.run_until(60_000_000)
    return [seen[number] for number in range(len(events))]


def _arrives(runner: Runner, event: tuple[int, int], _: Moment) -> None:
    runner.step(event)


def test_each_event_waits_for_its_own_work() -> None:
    assert seen_at([(0, 10_000), (5_000, 10_000), (6_000, 10_000)]) == [10_000, 20_000, 30_000]


@given(st.lists(st.tuples(st.integers(0, 50_000), st.integers(0, 9_000)), min_size=1, max_size=20))
def test_a_serial_core_by_definition(events: list[tuple[int, int]]) -> None:
    events = sorted(events, key=lambda event: event[0])
    free, expected = 0, []
    for at_us, cost_us in events:
        free = max(free, at_us) + cost_us
        expected.append(free)
    assert seen_at(events) == expected


def test_a_store_is_begun_when_its_event_is_done() -> None:
    assert seen_at([(0, 10_000), (1_000, 10_000)], store=True) == [12_000, 22_000]
