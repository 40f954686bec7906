"""Coverage marks: what a run must reach sometimes, over many seeds, for the hunt to be worth its name."""

from __future__ import annotations

from collections import Counter

from lucid.chain.errors import Code
from lucid.chain.transactions import Equivocation
from lucid.chain.votes import FINALIZE, SKIP
from lucid.machines.effects import (
    BlockFinal,
    BlockValid,
    CaughtUp,
    EnteredView,
    Fact,
    Halted,
    Proposed,
    Refused,
    Signed,
    TimedOut,
)
from sim.faults.fault import Fault
from sim.node import Node
from sim.world import World

SOMETIMES = (
    "a view was skipped",
    "a view ended late, after its timer",
    "a finalize was signed",
    "a skip was signed",
    "a block was notarized and forked off",
    "a node caught up by pages",
    "a node caught up by a snapshot",
    "an epoch closed",
    "a node caught up over an epoch",
    "a closing block came again",
    "a node restarted",
    "a restarted node signed",
    "something was refused",
    "an equivocation was seen",
    "evidence was accepted",
    "a node stopped before rules that it does not know",
)
"""Every mark; one that is never reached in a thousand seeds says that the hunt has a hole."""


class Marks:
    """A watcher that counts what was reached."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._reached: Counter[str] = Counter()
        self._timed_out: set[tuple[int, int, int]] = set()
        self._final: set[bytes] = set()
        self._heights: dict[int, int] = {}
        self._valid: dict[bytes, int] = {}
        self._epochs: dict[int, int] = {}
        self._signed_in: dict[int, int] = {}
        self._proposed: set[bytes] = set()
        self._started_us: dict[int, int] = {}

    def reached(self) -> dict[str, int]:
        """How often each mark was reached, without those that were not."""
        top = max(self._heights.values(), default=0)
        forked = sum(height <= top and hash_ not in self._final for hash_, height in self._valid.items())
        if forked:
            self._reached["a block was notarized and forked off"] += forked
        return {name: self._reached[name] for name in SOMETIMES if self._reached[name]}

    def on_fact(self, now_us: int, node: Node, fact: Fact) -> None:
        """See `Watcher`."""
        match fact:
            case EnteredView():
                self._on_entered(node, fact)
            case TimedOut():
                self._timed_out.add((node.index, fact.epoch, fact.view))
            case Signed():
                self._signed_in[node.index] = fact.vote.epoch
                if fact.vote.kind in (FINALIZE, SKIP):
                    self._note("a skip was signed" if fact.vote.kind == SKIP else "a finalize was signed")
                if node.up_since_us:
                    self._note("a restarted node signed")
            case BlockValid():
                self._valid[fact.hash] = fact.height
            case BlockFinal():
                self._on_final(node, fact)
            case CaughtUp():
                self._on_caught_up(node, fact)
            case Proposed():
                if fact.hash in self._proposed:
                    self._note("a closing block came again")
                self._proposed.add(fact.hash)
            case Halted():
                self._note("a node stopped before rules that it does not know")
            case Refused():
                self._on_refused(fact)

    def _on_caught_up(self, node: Node, fact: CaughtUp) -> None:
        self._note("a node caught up by a snapshot" if fact.snapshot else "a node caught up by pages")
        # A page of a closing block brings its finality, so the next epoch is open before the page is told of.
        if node.index in self._signed_in and self._epochs.get(node.index, 0) > self._signed_in[node.index]:
            self._note("a node caught up over an epoch")

    def _on_refused(self, fact: Refused) -> None:
        self._note("something was refused")
        if fact.code is Code.PROPOSAL_EQUIVOCATES:
            self._note("an equivocation was seen")

    def on_accepted(self, now_us: int, node: Node, transaction: bytes) -> None:
        """See `Watcher`."""

    def on_fault(self, now_us: int, fault: Fault, begins: bool) -> None:
        """See `Watcher`."""

    def _on_final(self, node: Node, fact: BlockFinal) -> None:
        if fact.hash not in self._final and _accuses(self.world, node, fact):
            self._note("evidence was accepted")
        self._final.add(fact.hash)
        self._heights[node.index] = fact.height

    def _on_entered(self, node: Node, fact: EnteredView) -> None:
        if fact.skipped:
            self._note("a view was skipped")
        elif (node.index, fact.epoch, fact.view - 1) in self._timed_out:
            self._note("a view ended late, after its timer")
        known = self._epochs.get(node.index)
        if known is not None and fact.epoch > known:
            self._note("an epoch closed")
        if node.up_since_us > self._started_us.get(node.index, 0):
            self._started_us[node.index] = node.up_since_us
            self._note("a node restarted")
        self._epochs[node.index] = fact.epoch

    def _note(self, name: str) -> None:
        self._reached[name] += 1


def _accuses(world: World, node: Node, fact: BlockFinal) -> bool:
    """Whether a final block holds evidence."""
    if not world.byzantine:
        return False
    return any(isinstance(each.payload, Equivocation) for each in world.block(node, fact.hash).transactions)
