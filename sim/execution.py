"""Execution shared between the nodes of one process: each block is executed by its builder and by one validator.

Judging is a pure function of the parent's ledger and the block. Every node that holds an equal parent (the same state
root) gets the first one's result, and is charged for the signatures all the same, so the machines cannot tell, and a
run with `share_execution = false`, where each node executes for itself, has the same trace hash. A node whose ledger
has strayed has another root, shares nothing and is found out as before. A node that started from its own store, or from
a snapshot, executes for itself from then on.

What is let go of a shared tree is read again from the store of whoever walks it, so all that share must have stored it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

from lucid.chain.blocks import Block
from lucid.chain.certificates import Certificate
from lucid.chain.genesis import Genesis
from lucid.chain.transactions import Transaction
from lucid.chain.votes import Vote
from lucid.ledger.rowstore import Reader, Write
from lucid.ledger.state import ROW_TABLE, Divided, Ledger
from lucid.ledger.tree import TreeNode, release
from lucid.ledger.turn import Turn
from lucid.ledger.validation import Built, Validator
from sim.disk import Disk
from sim.meteredcrypto import MeteredCrypto

REMEMBERED_BLOCKS = 512


class KnownParts(NamedTuple):
    """What rows were divided into, and who has not asked for it yet."""

    rows: dict[bytes, bytes]
    part_bytes: int
    divided: Divided
    left: set[Reader]


class SharedTrees:
    """Who shares trees, and which nodes of them may be let go of: those that all who share have stored."""

    def __init__(self) -> None:
        self._heights: dict[Reader, int] = {}
        """How high the blocks are that each of those who share has stored."""
        self._at: Counter[int] = Counter()
        """How many have stored so much."""
        self._parts: KnownParts | None = None
        self._waiting: dict[int, list[Mapping[int, TreeNode | None]]] = {}
        self.released = 0
        """How high the blocks are that all have stored, and whose nodes were let go of."""

    def joins(self, reader: Reader) -> bool:
        """Whether whose store this is may share; it has stored the genesis block, or else shares already."""
        if reader in self._heights:
            return True
        if self.released:
            return False
        self._heights[reader] = 0
        self._at[0] += 1
        return True

    def leaves(self, reader: Reader) -> None:
        """Whose store this is shares nothing any more."""
        height = self._heights.pop(reader, None)
        if height is not None:
            self._moved(height)

    def settled(self, reader: Reader, height: int, changed: Mapping[int, TreeNode | None]) -> None:
        """Somebody has stored the block at a height, which changed these nodes of the tree."""
        before = self._heights.get(reader)
        if before is None or before >= height:
            return
        waiting = self._waiting.setdefault(height, [])
        # The builder of a block has made nodes of its own.
        if all(each is not changed for each in waiting):
            waiting.append(changed)
        self._heights[reader] = height
        self._at[height] += 1
        self._moved(before)

    def divided(self, reader: Reader, part_bytes: int, divide: Callable[[int], Divided]) -> Divided:
        """The rows in a store in parts: made once for all stores of equal rows, of which none is damaged."""
        if not isinstance(reader, Disk) or not reader.sound or len(self._heights) < 2:
            return divide(part_bytes)
        rows, known = reader.rows(ROW_TABLE), self._parts
        if known is None or known.part_bytes != part_bytes or known.rows != rows:
            known = self._parts = KnownParts(rows, part_bytes, divide(part_bytes), set(self._heights))
        known.left.discard(reader)
        if not known.left & self._heights.keys():
            self._parts = None
        return known.divided

    def _moved(self, before: int) -> None:
        """One fewer is at this height: let go of what all have stored by now."""
        self._at[before] -= 1
        if self._at[before]:
            return
        del self._at[before]
        stored = min(self._at, default=0)
        for height in [each for each in self._waiting if each <= stored]:
            for changed in self._waiting.pop(height):
                release(changed)
            self.released = height


class SharedLedger(Ledger):
    """A ledger that other nodes hold too."""

    __slots__ = ("trees", "written")

    trees: SharedTrees
    written: list[list[Write]]
    """What to store, once somebody has asked for it: one for all."""

    def __init__(self, ledger: Ledger, parent: Ledger | None, trees: SharedTrees) -> None:
        """The same ledger over another node's parent, which must be equal."""
        reader = ledger.reader if parent is None else parent.reader
        super().__init__(reader, parent, ledger.core, ledger.rows, ledger.transactions, ledger)
        self.trees = trees
        self.written = ledger.written if isinstance(ledger, SharedLedger) else []

    def flush(self) -> list[Write]:
        """See `Ledger`."""
        if not self.written:
            self.written.append(super().flush())
        return self.written[0]

    def settle(self) -> None:
        """See `Ledger`."""
        changed = self._changed
        self.parent = None
        self.rows = {}
        self._changed = {}
        self.written = []
        self.trees.settled(self.reader, self.core.head.height, changed)

    def divided(self, part_bytes: int) -> Divided:
        """See `Ledger`."""
        return self.trees.divided(self.reader, part_bytes, super().divided)


class SharedValidator(Validator):
    """A validator for all nodes of a simulated network."""

    def __init__(self, genesis: Genesis, crypto: MeteredCrypto) -> None:
        super().__init__(genesis, crypto)
        self._metered = crypto
        self._judged: dict[tuple[bytes, bytes], tuple[Block, SharedLedger, int]] = {}
        self._first: SharedLedger | None = None
        self._trees = SharedTrees()

    def first(self, reader: Reader) -> Ledger:
        """See `Validator`."""
        if not self._trees.joins(reader):
            return super().first(reader)
        if self._first is None:
            self._first = SharedLedger(super().first(reader), None, self._trees)
        shared = SharedLedger(self._first, None, self._trees)
        shared.reader = reader
        return shared

    def leaves(self, reader: Reader) -> None:
        """The node whose store this is stops, and with it all that it has in memory."""
        self._trees.leaves(reader)

    def build(
        self,
        parent: Ledger,
        parent_hash: bytes,
        turn: Turn,
        *,
        certificate: Certificate | None,
        view: int,
        tick: int,
        vrf_proof: bytes,
        late_votes: tuple[Vote, ...],
        candidates: tuple[Transaction, ...],
    ) -> Built:
        """See `Validator`; what is built is never remembered, so that a validator executes it again."""
        built = super().build(
            parent,
            parent_hash,
            turn,
            certificate=certificate,
            view=view,
            tick=tick,
            vrf_proof=vrf_proof,
            late_votes=late_votes,
            candidates=candidates,
        )
        if not self._shares(parent):
            return built
        return built._replace(ledger=SharedLedger(built.ledger, parent, self._trees))

    def judge(self, block: Block, parent: Ledger, parent_hash: bytes, turn: Turn) -> Ledger:
        """See `Validator`."""
        if not self._shares(parent):
            return super().judge(block, parent, parent_hash, turn)
        place = (parent.root, block.header.hash)
        known = self._judged.get(place)
        if known is not None and (known[0] is block or known[0] == block):
            self._metered.spent_us += known[2]
            return SharedLedger(known[1], parent, self._trees)
        before_us = self._metered.spent_us
        ledger = super().judge(block, parent, parent_hash, turn)
        self._forget()
        self._judged[place] = (block, SharedLedger(ledger, None, self._trees), self._metered.spent_us - before_us)
        return SharedLedger(ledger, parent, self._trees)

    def _forget(self) -> None:
        """Drop what was judged and nobody who shares will ask for again; and the oldest, of too many others."""
        judged, released = self._judged, self._trees.released
        while judged:
            place = next(iter(judged))
            if judged[place][0].header.height > released and len(judged) < REMEMBERED_BLOCKS:
                return
            del judged[place]

    def _shares(self, parent: Ledger) -> bool:
        """Whether what stands on a ledger is shared.

        One that was read from a node's own store, after a restart or a snapshot, or that stands on such a one, is in
        memory in part. The rest is as of that node's last final block, which another node's is not.
        """
        begun = isinstance(parent, SharedLedger) or parent.core.head.height == 0
        return begun and self._trees.joins(parent.reader)
