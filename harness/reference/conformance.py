"""Holds what honest nodes do in a simulated run against the rules of the model (`model`), step by step."""

from __future__ import annotations

from collections import defaultdict

from harness.invariants import Diverged
from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, SKIP, Vote
from lucid.machines.effects import EnteredView, Fact, Signed, TimedOut
from sim.faults.fault import Fault
from sim.node import Node
from sim.world import World

CONFORMANCE = "rules of section 4"


class Conformance:
    """A watcher that raises `Diverged` where a node's step is none of the model's; for runs within one epoch.

    As in the model, a certificate may be there once honest votes and the Byzantine ones make a quorum. `steps` counts
    what was held against the rules.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.steps = 0
        self._needed = world.quorum - len({world.nodes[index].key for index in world.byzantine})
        self._signers: dict[tuple[int, int, bytes], set[int]] = defaultdict(set)
        self._mine: dict[tuple[int, int], dict[int, Vote]] = defaultdict(dict)
        self._view = [1] * len(world.nodes)
        self._timed_out = [False] * len(world.nodes)
        self._carried = [True] * len(world.nodes)
        self._view_of = {world.genesis.chain_id: 0}

    def on_fact(self, now_us: int, node: Node, fact: Fact) -> None:
        """See `Watcher`."""
        if node.index in self.world.byzantine:
            return
        match fact:
            case EnteredView():
                self._entered(node, fact)
            case TimedOut():
                self._check(fact.view == self._view[node.index], node, f"times out in view {fact.view}")
                self._timed_out[node.index] = True
            case Signed():
                self._signed(node, fact.vote)

    def on_accepted(self, *_: object) -> None:
        """See `Watcher`."""

    def on_fault(self, now_us: int, fault: Fault, begins: bool) -> None:
        """See `Watcher`."""

    def _entered(self, node: Node, fact: EnteredView) -> None:
        """Rule 1; a restart shows the view again, and sets its timer anew."""
        index, left = node.index, fact.view - 1
        here = self._view[index]
        self._check(fact.view >= here, node, f"enters view {fact.view} from {here}")
        if fact.view > here:
            if fact.skipped:
                self._check(self._there(left, SKIP, b""), node, f"enters view {fact.view} without a skip of {left}")
            else:
                self._check(bool(self._notarized_in(left)), node, f"enters view {fact.view} without a certificate")
            # Once the view is left it no longer matters to rule 5 whether its timer fired: it signed a skip then.
            self._carried[index] = not fact.skipped
        self._view[index], self._timed_out[index] = fact.view, False

    def _signed(self, node: Node, vote: Vote) -> None:
        index, mine = node.index, self._mine[node.index, vote.view]
        said = f"signs {vote.kind} in view {vote.view}, being in {self._view[index]}"
        self._check(vote.kind not in mine, node, f"{said}, again")
        if vote.kind == SKIP:
            self._check(self._timed_out[index] and vote.view == self._view[index], node, f"{said}, in time")
            self._check(FINALIZE not in mine, node, f"{said}, finalized before")
        elif vote.kind == NOTARIZE:
            self._check(vote.view == self._view[index] and not self._timed_out[index], node, f"{said}, too late")
            self._check(SKIP not in mine, node, f"{said}, skipped before")
            self._stands(node, vote, said)
        elif vote.kind == FINALIZE:
            self._check(SKIP not in mine, node, f"{said}, skipped before")
            self._check(self._there(vote.view, NOTARIZE, vote.block), node, f"{said}, not notarized")
            left = vote.view == self._view[index] - 1
            self._check(left or not self._timed_out[index], node, f"{said}, after its timer")
            self._check(left or vote.view == self._view[index], node, f"{said}, long left")
            self._check(not left or self._carried[index], node, f"{said}, carried by a skip")
        mine[vote.kind] = vote
        if vote.kind != PROPOSE:
            self._signers[vote.view, vote.kind, vote.block].add(index)

    def _stands(self, node: Node, vote: Vote, said: str) -> None:
        """Rule 3: what the block stands on is notarized, and every view between is skipped."""
        parent = self.world.block(node, vote.block).header.parent
        self._view_of[vote.block] = vote.view
        base = self._view_of.get(parent)
        if base is None:
            base = self._view_of[parent] = self.world.block(node, parent).header.view
        self._check(base == 0 or self._there(base, NOTARIZE, parent), node, f"{said}, on what is not notarized")
        for view in range(base + 1, vote.view):
            self._check(self._there(view, SKIP, b""), node, f"{said}, though {view} is not skipped")

    def _there(self, view: int, kind: int, block: bytes) -> bool:
        return len(self._signers[view, kind, block]) >= self._needed

    def _notarized_in(self, view: int) -> list[bytes]:
        return [
            block
            for (at, kind, block), signers in list(self._signers.items())
            if at == view and kind == NOTARIZE and len(signers) >= self._needed
        ]

    def _check(self, holds: bool, node: Node, what: str) -> None:
        self.steps += 1
        if not holds:
            raise Diverged(CONFORMANCE, f"{node.name} {what}")
