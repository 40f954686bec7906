"""What a run measures while it goes: latencies, halts, leaders, traffic; typed figures at the end."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from lucid.machines.effects import (
    BlockFinal,
    BlockValid,
    CaughtUp,
    EnteredView,
    Evicted,
    Fact,
    Proposed,
    Refused,
    TimedOut,
)
from sim.faults.fault import Fault
from sim.figures import (
    ChainRow,
    Skip,
)
from sim.halts import Halts
from sim.node import Node
from sim.quorum_path import earliest_final_us
from sim.world import World

NOBODY: frozenset[int] = frozenset()


class ProposalTimes(NamedTuple):
    """When a block was first put forward, by which node, and from which nodes that one was cut off then."""

    at_us: int
    node: int
    cut: frozenset[int]


class PendingAnchor(NamedTuple):
    """An anchor in a final block that the node which accepted it does not know to be final yet."""

    height: int
    transaction: bytes
    attempted_us: int


class Metrics:
    """A watcher that keeps what the figures need; samples are microseconds."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.facts: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.finality_us = array("q")
        self.at_best_us = array("q")
        self.propagation_us = array("q")
        self.late_us = array("q")
        self.session_us = array("q")
        self.chain: list[ChainRow] = []
        self.skips: list[Skip] = []
        self.faults: list[tuple[int, Fault, bool]] = []
        self.halts = Halts()
        self.height = 0
        self.epoch = 0
        self.slots: Counter[tuple[int, int]] = Counter()
        self._proposed: dict[bytes, ProposalTimes] = {}
        self.seen: dict[bytes, tuple[int, int, int, int]] = {}
        self._arrived: dict[bytes, int] = {}
        """By block the nodes, as bits, where it has arrived."""
        self.final: dict[bytes, list[int]] = {}
        self.hashes: list[bytes] = []
        self._anchored: list[list[PendingAnchor]] = [[] for _ in world.nodes]
        self._skipped: set[tuple[int, int]] = set()
        self._best_us: dict[int, list[int]] = {}
        self._handlers: dict[type, Callable[[int, Node, Any], None]] = {
            BlockFinal: self._on_final,
            BlockValid: self._on_valid,
            EnteredView: self._on_entered,
            Proposed: self._on_proposed,
            Refused: self._on_refused,
            TimedOut: self._on_counted,
            Evicted: self._on_counted,
            CaughtUp: self._on_caught_up,
        }

    @property
    def last_final_us(self) -> int:
        """When a height last became final for the first time; 0 before any did."""
        return self.halts.final_us[-1] if self.halts.final_us else 0

    def on_fact(self, now_us: int, node: Node, fact: Fact) -> None:
        """See `Watcher`."""
        handler = self._handlers.get(type(fact))
        if handler is not None:
            handler(now_us, node, fact)

    def on_accepted(self, now_us: int, node: Node, transaction: bytes) -> None:
        """See `Watcher`."""

    def on_fault(self, now_us: int, fault: Fault, begins: bool) -> None:
        """See `Watcher`."""
        self.faults.append((now_us, fault, begins))

    def _on_counted(self, now_us: int, node: Node, fact: TimedOut | Evicted) -> None:
        self.facts[type(fact).__name__] += 1

    def _on_caught_up(self, now_us: int, node: Node, fact: CaughtUp) -> None:
        self.facts["snapshot" if fact.snapshot else "page"] += 1
        if fact.snapshot:
            self._settle(now_us, node.index, fact.height)

    def _on_refused(self, now_us: int, node: Node, fact: Refused) -> None:
        self.refusals[fact.code.code] += 1

    def _on_entered(self, now_us: int, node: Node, fact: EnteredView) -> None:
        left = (fact.epoch, fact.view - 1)
        if fact.skipped and left not in self._skipped:
            self._skipped.add(left)
            self.skips.append(Skip(*left, now_us // 1000))

    def _on_proposed(self, now_us: int, node: Node, fact: Proposed) -> None:
        if fact.hash not in self._proposed:
            cut = (
                frozenset([receiver for sender, receiver in self.world.network.apart() if sender == node.index])
                or NOBODY
            )
            self._proposed[fact.hash] = ProposalTimes(now_us, node.index, cut)

    def _on_valid(self, now_us: int, node: Node, fact: BlockValid) -> None:
        self.seen.setdefault(fact.hash, (fact.epoch, fact.view, fact.height, now_us))
        proposed = self._proposed.get(fact.hash)
        if proposed is None or proposed.node == node.index:
            return
        arrived, bit = self._arrived.get(fact.hash, 0), 1 << node.index
        if arrived & bit:
            return  # judged again after a restart
        self._arrived[fact.hash] = arrived | bit
        # Whoever was down or cut off when the block was proposed catches up, which says nothing of how blocks spread.
        late = proposed.at_us < node.up_since_us or node.index in proposed.cut
        (self.late_us if late else self.propagation_us).append(now_us - proposed.at_us)

    def _on_final(self, now_us: int, node: Node, fact: BlockFinal) -> None:
        proposed = self._proposed.get(fact.hash)
        if proposed is not None and proposed.at_us >= node.up_since_us:
            # What a node catches up on after a crash says nothing of how long finality takes.
            latency_us = now_us - proposed.at_us
            self.finality_us.append(latency_us)
            self.at_best_us.append(self.at_best(proposed.node)[node.index])
            self.final.setdefault(fact.hash, []).append(latency_us)
        if fact.height == self.height + 1:
            self._on_height(now_us, node, fact, proposed)
        self._settle(now_us, node.index, fact.height)

    def _on_height(self, now_us: int, node: Node, fact: BlockFinal, proposed: ProposalTimes | None) -> None:
        """A height is final for the first time."""
        self.height, self.epoch = fact.height, fact.epoch
        block = self.world.block(node, fact.hash)
        parameters = self.world.genesis.parameters
        self.halts.on_final(now_us, block.header.tick)
        self.slots[fact.epoch, (fact.view - 1) // parameters.slot_views] += 1
        self.final.setdefault(fact.hash, [])
        self.hashes.append(fact.hash)
        accepted = self.world.workload.accepted
        for transaction in block.transactions:
            entry = accepted.get(transaction.id)
            if entry is not None:
                index, attempted_us = entry
                self._anchored[index].append(PendingAnchor(fact.height, transaction.id, attempted_us))
        self.chain.append(
            ChainRow(
                height=fact.height,
                epoch=fact.epoch,
                view=fact.view,
                tick_ms=block.header.tick * parameters.block_interval_ms,
                proposed_ms=(now_us if proposed is None else proposed.at_us) // 1000,
                final_ms=now_us // 1000,
                leader=self.world.index[block.header.proposer],
                transactions=len(block.transactions),
            )
        )

    def _settle(self, now_us: int, index: int, height: int) -> None:
        """A node knows a height to be final: those whose anchors it accepted can have their receipts."""
        accepted, waiting = self.world.workload.accepted, self._anchored[index]
        if not waiting:
            return
        for each in waiting:
            if each.height <= height and accepted.pop(each.transaction, None) is not None:
                self.session_us.append(now_us - each.attempted_us)
        self._anchored[index] = [each for each in waiting if each.height > height]

    def at_best(self, leader: int) -> list[int]:
        """The earliest that each node could know a block of this leader to be final (us)."""
        found = self._best_us.get(leader)
        if found is None:
            found = self._best_us[leader] = earliest_final_us(self.world.base_us, leader)
        return found
