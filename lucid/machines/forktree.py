"""The fork tree: the last final block, the valid blocks above it, and the certificates of the epoch (section 4)."""

from __future__ import annotations

from collections.abc import Iterator

from lucid.chain.blocks import Block
from lucid.chain.certificates import Certificate
from lucid.chain.parameters import Parameters
from lucid.chain.votes import NOTARIZE, SKIP
from lucid.ledger.state import Ledger
from lucid.ledger.turn import Turn, closes_epoch


class ForkNode:
    """A valid block above the last final one (or that one), with the ledger that it leaves.

    `certified` is the highest view that notarized it, -1 if none did; for a block that opened the epoch it is 0.
    """

    __slots__ = ("_repeat", "_turn", "block", "certified", "closing", "hash", "ledger", "parameters", "parent")

    def __init__(
        self, hash_: bytes, block: Block | None, parent: ForkNode | None, ledger: Ledger, parameters: Parameters
    ) -> None:
        self.hash = hash_
        self.block = block
        self.parent = parent
        self.ledger = ledger
        self.parameters = parameters
        self.certified = -1
        head = ledger.core.head
        self.closing = head.height > 0 and closes_epoch(head, parameters)
        self._turn: Turn | None = None
        self._repeat: Turn | None = None

    @property
    def height(self) -> int:
        """Height of the block."""
        return self.ledger.core.head.height

    @property
    def view(self) -> int:
        """View in which the block was made."""
        return self.ledger.core.head.view

    @property
    def turn(self) -> Turn:
        """Who leads the views of blocks built on this one."""
        if self._turn is None:
            self._turn = Turn(self.ledger, self.parameters)
        return self._turn

    @property
    def repeat(self) -> Turn:
        """Who leads the views in which this closing block is proposed again."""
        if self._repeat is None:
            self._repeat = Turn(self.ledger, self.parameters, repeat=True)
        return self._repeat


class ForkTree:
    """Blocks by hash above `root`, the last final block; certificates of the current epoch by (view, kind).

    `best` is the block to build on: the highest-view notarized one at hand. `wanted` are certified blocks not at hand,
    by hash, with the highest view that certified them. `uncertified` are blocks at hand that no view has notarized as
    far as is known; none has children, since a block carries its parent's notarization.
    """

    def __init__(self, root: ForkNode, epoch: int, final: Certificate | None) -> None:
        self.root = root
        self.epoch = epoch
        self.nodes: dict[bytes, ForkNode] = {root.hash: root}
        self.uncertified: dict[bytes, ForkNode] = {}
        self.certificates: dict[tuple[int, int], Certificate] = {}
        self.wanted: dict[bytes, int] = {}
        self.best = root
        self.entry: Certificate | None = final
        self.entry_view = 0
        self.notarized_view = 0

    def add(self, node: ForkNode) -> None:
        """Add a valid block; its parent must be in the tree."""
        assert node.parent is not None and node.parent.hash in self.nodes, "blocks come after their parents"
        self.nodes[node.hash] = node
        self.uncertified[node.hash] = node
        self.uncertified.pop(node.parent.hash, None)
        view = self.wanted.pop(node.hash, None)
        if view is not None:
            self.certify(node, view)

    def certify(self, node: ForkNode, view: int) -> None:
        """Note that `view` notarized a block at hand."""
        node.certified = max(node.certified, view)
        self.uncertified.pop(node.hash, None)
        # Rule 1's best block: the one at hand that the highest view notarized, not the highest block.
        if node.certified > self.best.certified:
            self.best = node

    def drop_uncertified(self) -> ForkNode:
        """Let go of the uncertified block of the lowest view; once it is certified, it is asked for like any other."""
        # The lowest view is the least likely to be certified yet; among equals the hash decides (section 2).
        gone = min(self.uncertified.values(), key=lambda each: (each.view, each.hash))
        del self.uncertified[gone.hash], self.nodes[gone.hash]
        return gone

    def record(self, certificate: Certificate) -> None:
        """Keep a verified notarization or skip of this epoch, and move on to its view's successor if it is ahead."""
        view, kind = certificate.view, certificate.kind
        self.certificates[view, kind] = certificate
        # Where both certificates of a view exist, its notarization is the one that brings others a block.
        if view > self.entry_view or (view == self.entry_view and kind == NOTARIZE):
            self.entry, self.entry_view = certificate, view
        if kind == NOTARIZE:
            self.notarized_view = max(self.notarized_view, view)
            node = self.nodes.get(certificate.block)
            if node is not None:
                self.certify(node, view)
            else:
                self.wanted[certificate.block] = view

    def missing_skips(self, base_view: int, view: int) -> tuple[int, int] | None:
        """The first view between a base and a proposal that lacks a skip certificate, and the last before it, or None.

        Rule 3, and the one on which safety rests: a view that was skipped made no block final (section 4).

        It stops at the first: a proposal may name any view, and what is looked at is bounded by what is held.
        """
        for each in range(base_view + 1, view):
            if (each, SKIP) not in self.certificates:
                return each, view - 1
        return None

    def path(self, node: ForkNode) -> list[ForkNode]:
        """The blocks above the root up to `node`, in order; empty if `node` does not descend from the root."""
        path = []
        current: ForkNode | None = node
        while current is not None and current is not self.root:
            path.append(current)
            current = current.parent
        return path[::-1] if current is self.root else []

    def advance(self, node: ForkNode) -> tuple[list[ForkNode], list[tuple[int, int]]]:
        """Make `node` the root; returns the blocks and certificates that this leaves behind."""
        kept: dict[bytes, ForkNode] = {}
        for each in self.nodes.values():
            # Parents come first. A walk from each block down would cost the square of what waits to be final.
            if each is node or (each.parent is not None and each.parent.hash in kept):
                kept[each.hash] = each
        dropped = [each for each in self.nodes.values() if each.hash not in kept and each is not self.root]
        self.nodes = kept
        self.uncertified = {hash_: each for hash_, each in self.uncertified.items() if hash_ in kept}
        self.root = node
        node.parent = None
        if self.best.hash not in kept:
            self.best = max(kept.values(), key=lambda each: (each.certified, each.hash))
        # Kept down to the view of the last final block (section 4): who is behind that gets finality instead.
        stale = [subject for subject in self.certificates if subject[0] < node.view]
        for subject in stale:
            del self.certificates[subject]
        self.wanted = {hash_: view for hash_, view in self.wanted.items() if view > node.view}
        return dropped, stale

    def open_epoch(self, epoch: int, final: Certificate) -> list[tuple[int, int]]:
        """Start the epoch that the root opens, by its finality certificate; returns the certificates left behind."""
        stale = list(self.certificates)
        self.epoch = epoch
        # Views begin at 1 again, and no certificate of another set holds in this epoch (section 4, Epoch change).
        self.certificates = {}
        self.wanted = {}
        self.entry, self.entry_view, self.notarized_view = final, 0, 0
        self.root.certified = 0
        self.best = self.root
        return stale

    def unfinal(self) -> Iterator[ForkNode]:
        """Blocks above the root, parents first."""
        return iter(sorted((each for each in self.nodes.values() if each is not self.root), key=lambda n: n.height))
