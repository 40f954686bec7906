"""What a replicator owes to a chunk that it fetches: to ask every node in reach before it gives the chunk up."""

from __future__ import annotations

from typing import Any

from harness.invariants import Diverged
from lucid.machines.effects import Effects, FetchEnded, FetchOutcome
from lucid.machines.replication import Replicator
from lucid.machines.replication.fetching import Fetch
from sim.runner import Runner
from sim.world import World

ALL_ASKED = "a chunk is given up once all were asked"


class Fetches:
    """A tap on every honest replicator that raises `Diverged`; `checks` counts what was judged."""

    machine = Replicator
    votes = False

    def __init__(self, world: World) -> None:
        self.checks = 0
        self._byzantine = world.byzantine
        self._under_way: dict[int, tuple[Replicator, list[Fetch]]] = {}

    def __call__(self, runner: Runner, now: int, event: Any, effects: Effects) -> None:
        """A machine handled an event at `now` of its node's clock, and wants these effects done."""
        machine, index = runner.machine, runner.node.index
        assert isinstance(machine, Replicator)
        if index in self._byzantine:
            return
        before, fetches = self._under_way.get(index, (machine, []))
        under_way = list(machine.fetching.under_way.values())
        self._under_way[index] = (machine, under_way)
        done = type(event) is FetchEnded and event.outcome is not FetchOutcome.FALSE
        if before is not machine or done:
            return
        for fetch in fetches:
            if fetch not in under_way:
                self.checks += 1
                if fetch.sources:
                    left, chunk = len(fetch.sources), fetch.chunk.hex()[:16]
                    raise Diverged(ALL_ASKED, f"{runner.node.name} gives {chunk} up with {left} nodes left to ask")
