"""The invariants, checked while a network runs (protocol section 9). A broken one ends the run as diverged."""

from __future__ import annotations

from bisect import bisect
from collections import deque

from msgspec import structs

from harness.bounds import Bounds
from harness.level import LEVEL_BLOCKS, final_height
from harness.overwork import overworked
from harness.reference.chain import NaiveChain
from harness.reference.recount import History
from harness.reference.stateroot import state_root
from lucid.chain.codec import decode
from lucid.chain.errors import Code, Refusal
from lucid.chain.transactions import Equivocation, SessionAnchor
from lucid.chain.votes import Vote, conflict
from lucid.ledger.rows import TALLY_KEY, WEIGHTS_KEY
from lucid.ledger.weights import entries
from lucid.machines.chain import HEIGHT_TABLE, height_key
from lucid.machines.effects import BlockFinal, Evicted, Fact, Signed
from lucid.poot.credits import Tally
from sim.faults.fault import Fault
from sim.node import Node
from sim.world import World

VOTES_KEPT_VIEWS = 64
"""Views of a node whose votes are compared in full; that it never votes in an older one is checked too."""

ANCHOR_BLOCKS = 24
"""Final blocks within which an accepted anchor is final, while its node and a quorum are well connected."""

ANCHORS = "accepted anchors final in time"
PROGRESS = "progress"
RELAYS = "relays make no credits"
WEIGHTS = "weights equal their recount"

CHECKPOINT_GROWTH = 4
"""From-scratch recomputations happen when the chain has grown by a quarter, so that they cost a constant per block."""


class Diverged(Exception):
    """An invariant is broken."""

    def __init__(self, invariant: str, detail: str) -> None:
        super().__init__(invariant, detail)
        self.invariant = invariant
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.invariant}: {self.detail}"


class Invariants:
    """A watcher that raises `Diverged`; `checks` counts by invariant what was checked."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.checks = dict.fromkeys(
            (
                "agreement",
                "validity by a naive validator",
                "one anchor per session",
                "no double vote",
                "no vote under unknown rules",
                "only the guilty are blamed",
                "tally equals its recount",
                "state root from scratch",
                ANCHORS,
                PROGRESS,
            ),
            0,
        )
        if world.scenario.relays_every_ms:
            self.checks[RELAYS] = 0
        if world.scenario.capacities:
            self.checks[WEIGHTS] = 0
        self.heights: list[bytes] = [world.genesis.chain_id]
        self._naive = NaiveChain(world.genesis, world.clients)
        self._history = History(world.genesis)
        self._root = b""
        """The state root that the last final block names."""
        self._checkpoint = 1
        self._sessions: set[bytes] = set()
        self._node_heights = [0] * len(world.nodes)
        self._votes: list[dict[tuple[int, int], list[Vote]]] = [{} for _ in world.nodes]
        self._recent: list[deque[tuple[int, int]]] = [deque() for _ in world.nodes]
        self._closed = [(-1, 0)] * len(world.nodes)
        self._times_us = [0]
        self._accepted: dict[bytes, tuple[int, int]] = {}
        self._disturbed_at = 0
        self._absent_at: dict[int, int] = {}
        self._behind: set[int] = set()
        """Nodes that were absent and are not level yet: they make up for what they missed."""
        self._byzantine = world.byzantine
        self._traitors = {world.nodes[index].key for index in world.byzantine}

    def on_fact(self, now_us: int, node: Node, fact: Fact) -> None:
        """See `Watcher`; what a Byzantine node says of itself proves nothing."""
        if node.index in self._byzantine:
            return
        kind = type(fact)
        if kind is Signed:
            self._on_signed(node, fact.vote)  # type: ignore[union-attr]
        elif kind is BlockFinal:
            self._on_final(node, fact)  # type: ignore[arg-type]
        elif kind is Evicted and fact.transaction in self._accepted:  # type: ignore[union-attr]
            endorser, _ = self._accepted[fact.transaction]  # type: ignore[union-attr]
            # A duplicate may be final by the block that was made final as its node crashed, and told nobody: what is
            # not stays accepted, and is overdue in time.
            if endorser == node.index and fact.code is not Code.SESSION_DUPLICATE:  # type: ignore[union-attr]
                raise Diverged(ANCHORS, f"{node.name} gave up {fact}")

    def on_accepted(self, now_us: int, node: Node, transaction: bytes) -> None:
        """See `Watcher`."""
        if node.index not in self._byzantine:
            self._accepted[transaction] = (node.index, len(self.heights) - 1)

    def owed(self) -> frozenset[bytes]:
        """What honest nodes that are up accepted, and is not final yet."""
        return frozenset(each for each, (index, _) in self._accepted.items() if self.world.nodes[index].up)

    def on_fault(self, now_us: int, fault: Fault, begins: bool) -> None:
        """See `Watcher`: what is disturbed gets its time anew once the disturbance is over."""
        self._disturbed_at = len(self.heights) - 1
        if fault.forgets:
            kept = {each: place for each, place in self._accepted.items() if place[0] not in fault.forgets}
            self._accepted = kept

    def _on_signed(self, node: Node, vote: Vote) -> None:
        """No honest double vote, across crashes too: nothing here forgets when a node does."""
        self.checks["no double vote"] += 1
        votes, recent = self._votes[node.index], self._recent[node.index]
        view = (vote.epoch, vote.view)
        known = votes.get(view)
        if known is None:
            if view <= self._closed[node.index]:
                raise Diverged("no double vote", f"{node.name} signed in view {view}, long left")
            known = votes[view] = []
            recent.append(view)
            if len(recent) > VOTES_KEPT_VIEWS:
                oldest = recent.popleft()
                del votes[oldest]
                self._closed[node.index] = max(self._closed[node.index], oldest)
        for other in known:
            if conflict(other, vote) or (other.kind == vote.kind and other != vote):
                raise Diverged("no double vote", f"{node.name} signed both {other} and {vote}")
        known.append(vote)
        self._check_rules(node, vote)

    def _check_rules(self, node: Node, vote: Vote) -> None:
        """Nobody signs anything in an epoch whose rules its release does not know."""
        version = self._naive.rules_version(vote.epoch)
        if version is not None:
            self.checks["no vote under unknown rules"] += 1
            if version > node.rules_known:
                raise Diverged("no vote under unknown rules", f"{node.name} knows {node.rules_known}, signed {vote}")

    def _on_final(self, node: Node, fact: BlockFinal) -> None:
        self.checks["agreement"] += 1
        if fact.height < len(self.heights):
            if self.heights[fact.height] != fact.hash:
                raise Diverged(
                    "agreement",
                    f"height {fact.height}: {node.name} has {fact.hash.hex()[:16]}, "
                    f"others {self.heights[fact.height].hex()[:16]}",
                )
        else:
            self._catch_up(node, fact.height)
            if fact.height != len(self.heights):
                raise Diverged("agreement", f"{node.name} finalized height {fact.height} before anyone its parent")
            self._extend(node, fact.height, fact.hash)
        last = self._node_heights[node.index]
        self._node_heights[node.index] = max(last, fact.height)

    def _catch_up(self, node: Node, height: int) -> None:
        """Take from a node's store the heights below `height` that it made final just before it crashed, untold."""
        while len(self.heights) < height:
            hash_ = node.manager_disk.peek(HEIGHT_TABLE, height_key(len(self.heights)))
            if hash_ is None or node.up_since_us == 0:
                return
            self._extend(node, len(self.heights), hash_)

    def _extend(self, node: Node, height: int, hash_: bytes) -> None:
        """A height is final for the first time: judge its block anew."""
        block = self.world.block(node, hash_)
        self.heights.append(hash_)
        self._times_us.append(self.world.clock.now_us)
        checkpoint = height >= self._checkpoint
        self.checks["validity by a naive validator"] += 1
        try:
            self._naive.apply(block, check_root=False)  # judged at checkpoints, from scratch
        except Refusal as refusal:
            raise Diverged("validity by a naive validator", f"height {height}: {refusal}") from None
        self._history.add(block)
        self._root = block.header.state_root
        for transaction in block.transactions:
            self._accepted.pop(transaction.id, None)
            if isinstance(transaction.payload, Equivocation):
                self.checks["only the guilty are blamed"] += 1
                accused = transaction.payload.first.signer
                if accused not in self._traitors:
                    raise Diverged("only the guilty are blamed", f"{self._name(accused)} is honest, and accused")
            if isinstance(transaction.payload, SessionAnchor):
                self.checks["one anchor per session"] += 1
                session = transaction.payload.session + transaction.payload.owner
                if session in self._sessions:
                    raise Diverged("one anchor per session", session.hex())
                self._sessions.add(session)
        if checkpoint:
            self._checkpoint = height + max(1, height // CHECKPOINT_GROWTH)
            self.check_from_scratch()
        self._check_anchors(height)

    def check_from_scratch(self) -> None:
        """Recompute the tally and the state root from nothing but the chain."""
        height = len(self.heights) - 1
        if not height:
            return
        rows = self._naive.rows()
        self.checks["tally equals its recount"] += 1
        tally, again = decode(rows[TALLY_KEY], Tally), self._history.tally(self._history.epoch)
        if tally != again:
            raise Diverged("tally equals its recount", f"height {height}: {tally} is not {again}")
        if RELAYS in self.checks:
            self.checks[RELAYS] += 1
            proven = self._history.storage
            with_them, without = proven.earned().total(), proven.earned(False).total()
            if with_them > without:
                raise Diverged(RELAYS, f"height {height}: {with_them} credits in place of {without}")
        self._check_weights(rows.get(WEIGHTS_KEY), height)
        self.checks["state root from scratch"] += 1
        if state_root(rows) != self._root:
            raise Diverged("state root from scratch", f"height {height}")

    def _check_weights(self, row: bytes | None, height: int) -> None:
        """What nodes weigh follows from what they declared and proved in blocks."""
        if row is None:
            return
        self.checks[WEIGHTS] = self.checks.get(WEIGHTS, 0) + 1
        for number, entry in enumerate(entries(row)):
            again = self._history.weights.entry(number)
            if structs.astuple(entry) != again:
                raise Diverged(WEIGHTS, f"height {height}: member {number} has {entry}, by the blocks {again}")

    def _check_anchors(self, height: int) -> None:
        """Accepted anchors are final within so many blocks, and those that faults which are on may cost."""
        bounds = Bounds(self.world)
        allowed = ANCHOR_BLOCKS + bounds.blocks
        present = self._present(bounds, height)
        for transaction, (index, since) in self._accepted.items():
            if index not in present:
                continue
            self.checks[ANCHORS] += 1
            restarted = bisect(self._times_us, self.world.nodes[index].up_since_us) - 1
            if height - max(since, self._disturbed_at, restarted, self._absent_at.get(index, 0)) > allowed:
                raise Diverged(
                    ANCHORS,
                    f"{transaction.hex()[:16]} accepted by n{index:02} at height {since}, not final at {height}",
                )
            break  # in order of acceptance: the first of a node that can talk is the oldest

    def _present(self, bounds: Bounds, height: int) -> set[int]:
        """The nodes that can have what they accepted made final; the time of all others begins anew.

        A node is absent while it cannot offer what it accepted, while its core still has to do what it was given, and
        from then on until it is level: meanwhile it judges the blocks that it missed, and tells nobody anything new.
        """
        able = {node.index for node in self.world.connected() if bounds.takes_part(node)}
        present = {index for index in able if not overworked(self.world, self.world.nodes[index])}
        level = {index for index in present if height - final_height(self.world.nodes[index]) <= LEVEL_BLOCKS}
        self._behind = set(range(len(self.world.nodes))) - present | (self._behind - level)
        for index in self._behind:
            self._absent_at[index] = height
        return present - self._behind

    def _name(self, key: bytes) -> str:
        index = self.world.index.get(key)
        return key.hex()[:16] if index is None else self.world.nodes[index].name
