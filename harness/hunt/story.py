"""The page of a failing run: who did what, when, and the moment that broke it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from harness.hunt.judge import RunVerdict, SeedOutcome, judge
from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, SKIP
from lucid.machines.effects import (
    BlockFinal,
    CaughtUp,
    EnteredView,
    Evicted,
    Fact,
    Halted,
    Proposed,
    Refused,
    Signed,
    TimedOut,
)
from sim.faults.fault import Fault
from sim.node import Node
from sim.scenario import Scenario
from sim.scenariofile import dump
from sim.world import World

BEFORE, AFTER = 45, 30
"""Lines of the page: what led to the break, and what came when the network was calm."""

KINDS = {PROPOSE: "propose", NOTARIZE: "notarize", SKIP: "skip", FINALIZE: "finalize"}


class Told(NamedTuple):
    """One line: microseconds since genesis, who, what."""

    at_us: int
    who: str
    what: str

    def __str__(self) -> str:
        return f"{self.at_us / 1_000_000:10.3f}  {self.who:8} {self.what}"


class Teller:
    """A watcher that puts what happens into words; the last of it before the calm, and the first after it, stay."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.before: deque[Told] = deque(maxlen=BEFORE)
        self.after: list[Told] = []
        self.last: deque[Told] = deque(maxlen=BEFORE)

    def on_fact(self, now_us: int, node: Node, fact: Fact) -> None:
        """See `Watcher`."""
        words = _words(fact)
        if words:
            self._tell(now_us, node.name, words)

    def on_accepted(self, now_us: int, node: Node, transaction: bytes) -> None:
        """See `Watcher`."""

    def on_fault(self, now_us: int, fault: Fault, begins: bool) -> None:
        """See `Watcher`."""
        self._tell(now_us, "fault", f"{fault.kind} {'begins' if begins else 'ends'}: {fault.text()}")

    def _tell(self, now_us: int, who: str, what: str) -> None:
        told = Told(now_us, who, what)
        if not self.world.calm:
            self.before.append(told)
        elif len(self.after) < AFTER:
            self.after.append(told)
        else:
            self.last.append(told)


def page(scenario: Scenario) -> tuple[str, SeedOutcome]:
    """Run a scenario again and tell it on one page of Markdown."""
    tellers: list[Teller] = []

    def watch(world: World) -> None:
        tellers.append(Teller(world))
        world.watchers.insert(0, tellers[0])

    outcome = judge(scenario, prepare=watch)
    return "\n".join(_lines(scenario, outcome, tellers[0])), outcome


def _lines(scenario: Scenario, outcome: SeedOutcome, teller: Teller) -> list[str]:
    return [
        f"# Seed {scenario.seed}: {outcome.verdict}",
        "",
        f"{outcome.invariant}: {outcome.reason}" if outcome.verdict is not RunVerdict.PASS else "Nothing is wrong.",
        "",
        f"{scenario.nodes} nodes, network {scenario.profile}, {len(scenario.fault)} faults, calm from "
        f"{scenario.calm_ms / 1000:g} s; height {outcome.height} at {outcome.at_ms / 1000:g} s; "
        f"trace {outcome.trace_hash}.",
        "",
        "## Faults",
        "",
        *(_fault(fault) for fault in scenario.fault),
        "",
        "## What happened",
        "",
        "```text",
        *map(str, teller.before),
        f"{scenario.calm_ms / 1000:10.3f}  {'':8} -- the calm begins --",
        *map(str, teller.after),
        *(["..."] if len(teller.last) == BEFORE else []),
        *map(str, list(teller.last)[-8:]),
        "```",
        "",
        "## How the nodes ended",
        "",
        "| node | up | view | final height | best height |",
        "|---|---|---|---|---|",
        *(_end(node) for node in teller.world.nodes),
        "",
        "## The scenario",
        "",
        "```toml",
        dump(scenario).rstrip(),
        "```",
        "",
    ]


def _fault(fault: Fault) -> str:
    until = "to the end" if fault.until_ms is None else f"to {fault.until_ms / 1000:g} s"
    return f"- {fault.kind} {fault.text()}, from {fault.at_ms / 1000:g} s {until}"


def _end(node: Node) -> str:
    if node.manager is None or node.engine is None:
        return f"| {node.name} | down | | | |"
    tree = node.manager.machine.chain.tree  # type: ignore[union-attr]
    epoch, view = node.engine.machine.view  # type: ignore[union-attr]
    return f"| {node.name} | up | {epoch}/{view} | {tree.root.height} | {tree.best.height} |"


def _words(fact: Fact) -> str:
    """A fact in words; nothing for what needs none."""
    words = WORDS.get(type(fact))
    return "" if words is None else words(fact)


def _signed(fact: Signed) -> str:
    vote = fact.vote
    block = f" for {vote.block.hex()[:8]}" if vote.block else ""
    return f"signs {KINDS[vote.kind]} of view {vote.epoch}/{vote.view}{block}"


WORDS: dict[type, Callable[[Any], str]] = {
    Signed: _signed,
    EnteredView: lambda fact: f"enters view {fact.epoch}/{fact.view}" + (" by a skip" if fact.skipped else ""),
    TimedOut: lambda fact: f"times out in view {fact.epoch}/{fact.view}",
    Proposed: lambda fact: f"proposes {fact.hash.hex()[:8]}, height {fact.height}, in view {fact.epoch}/{fact.view}",
    BlockFinal: lambda fact: f"makes height {fact.height} final: {fact.hash.hex()[:8]}",
    CaughtUp: lambda fact: f"catches up to height {fact.height} by {'a snapshot' if fact.snapshot else 'a page'}",
    Refused: lambda fact: f"refuses something: {fact.code.code}, {fact.code.sentence}",
    Halted: lambda fact: f"stops before height {fact.height}: it does not know rules {fact.rules}",
    Evicted: lambda fact: f"gives up a transaction: {fact.code.code}",
}
