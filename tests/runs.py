"""Runs scenarios for the tests and keeps what `harness.run` lets go of: the world as it ended, and every fact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from harness import run as run_scenario
from harness.result import RunResult
from lucid.machines.effects import Fact
from lucid.machines.forktree import ForkNode
from lucid.machines.manager import Manager
from sim.faults.fault import Fault
from sim.node import Node
from sim.scenario import Scenario
from sim.scenariochecks import changed
from sim.scenariofile import load
from sim.world import World

FAST = {
    "block_interval_ms": 1_000,
    "slot_duration_ms": 3_000,
    "slot_timeout_ms": 1_000,
    "max_clock_drift_ms": 400,
}
"""Parameters for a block every second in slots of three."""

FactKind = TypeVar("FactKind", bound=Fact)


class Moment(NamedTuple):
    """A fact, when it was observed (us since genesis) and at which node."""

    at_us: int
    node: int
    fact: Fact


class Recorder:
    """A watcher that keeps everything."""

    def __init__(self) -> None:
        self.moments: list[Moment] = []
        self.accepted: list[tuple[int, int, bytes]] = []
        self.faults: list[tuple[int, Fault, bool]] = []

    def on_fact(self, now_us: int, node: Node, fact: Fact) -> None:
        """See `Watcher`."""
        self.moments.append(Moment(now_us, node.index, fact))

    def on_accepted(self, now_us: int, node: Node, transaction: bytes) -> None:
        """See `Watcher`."""
        self.accepted.append((now_us, node.index, transaction))

    def on_fault(self, now_us: int, fault: Fault, begins: bool) -> None:
        """See `Watcher`."""
        self.faults.append((now_us, fault, begins))


class Run:
    """A finished run: its result, also as a document, its world and what was observed in it."""

    def __init__(self, result: RunResult, world: World, recorder: Recorder) -> None:
        self.result = result
        self.document = result.document()
        self.world = world
        self.recorder = recorder

    @property
    def chain(self) -> list[Block]:
        """The final blocks in order."""
        return [Block(*row) for row in self.document["series"]["chain"]]

    def facts(self, kind: type[FactKind]) -> list[tuple[int, int, FactKind]]:
        """Every fact of one kind as (us, node, fact), in order."""
        return [(at_us, node, fact) for at_us, node, fact in self.recorder.moments if isinstance(fact, kind)]

    def root(self, node: int) -> ForkNode:
        """The last final block that a node knows."""
        return manager_of(self.world, node).chain.tree.root

    def assert_level(self) -> None:
        """Every node knows the same last final block and the same state after it, or lags by one block on its way."""
        roots = [self.root(node.index) for node in self.world.nodes]
        assert {(root.hash, root.ledger.root) for root in roots} == {(roots[0].hash, roots[0].ledger.root)}
        assert roots[0].ledger.root.hex() == self.document["state_root"]


class Block(NamedTuple):
    """A row of the chain series: ms are since genesis, `tick_ms` is the block's own timestamp."""

    height: int
    epoch: int
    view: int
    tick_ms: int
    proposed_ms: int
    final_ms: int
    proposer: int
    transactions: int


def scenario(name: str = "default", **values: Any) -> Scenario:
    """A shipped scenario with other values."""
    return changed(load(name), **values)


def run(scenario: Scenario, prepare: Callable[[World], None] | None = None, **options: Any) -> Run:
    """Run a scenario by `harness.run`; `prepare` is given the world before it starts."""
    worlds: list[World] = []
    recorder = Recorder()

    def watch(world: World) -> Recorder:
        if prepare is not None:
            prepare(world)
        worlds.append(world)
        return recorder

    result = run_scenario(scenario, watchers=[watch], **options)
    return Run(result, worlds[0], recorder)


def passed(scenario: Scenario, prepare: Callable[[World], None] | None = None, **options: Any) -> Run:
    """Run a scenario that passes under all invariants."""
    done = run(scenario, prepare, **options)
    assert done.result.passed, done.result.reason
    return done


def manager_of(world: World, node: int) -> Manager:
    """The manager of a node that is up."""
    runner = world.nodes[node].manager
    assert runner is not None and isinstance(runner.machine, Manager)
    return runner.machine
