"""Who watches a world: told of every fact, accepted transaction and fault, and of what passes its machines."""

from __future__ import annotations

from typing import Any, Protocol

from lucid.machines.effects import Effects, Fact
from lucid.machines.engine import Engine
from lucid.machines.manager import Manager
from lucid.machines.replication import Replicator
from sim.faults.fault import Fault
from sim.node import Node
from sim.runner import Runner


class Tap(Protocol):
    """Looks at every event that machines of a kind handled: when by the clock of the machine's node, and what it wants
    done, before that is done. Nothing that a tap does may change the run, but it may end it by raising."""

    @property
    def machine(self) -> type[Manager] | type[Engine] | type[Replicator]:
        """Whose events it is called with."""

    @property
    def votes(self) -> bool:
        """Whether it needs those too that just pass through a manager: votes, and certificates that are held."""

    def __call__(self, runner: Runner, now: int, event: Any, effects: Effects) -> None:
        """The machine of `runner` handled an event."""


class Watcher(Protocol):
    """Looks on; nothing that it does may change the run, but it may end it by raising."""

    def on_fact(self, now_us: int, node: Node, fact: Fact) -> None:
        """A machine observed something."""

    def on_accepted(self, now_us: int, node: Node, transaction: bytes) -> None:
        """A node told a client that its transaction is accepted."""

    def on_fault(self, now_us: int, fault: Fault, begins: bool) -> None:
        """A fault began or ended."""
