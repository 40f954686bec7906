"""Snapshots of the final ledger: taken now and then, and served in parts (protocol section 8)."""

from __future__ import annotations

from collections.abc import Collection

from lucid.chain.closings import EpochClosing
from lucid.chain.codec import decode, encode
from lucid.ledger.rowstore import Reader, Write
from lucid.ledger.tree import opened
from lucid.machines.chain import CLOSING_TABLE, Chain
from lucid.machines.effects import Effects, Send, Store
from lucid.machines.forktree import ForkNode
from lucid.machines.limits import Limits
from lucid.machines.manager.download import Download
from lucid.machines.manager.snapshotrows import INDEX_KEY, SNAPSHOT_TABLE, Index
from lucid.machines.messages import Part, PartRequest, SnapshotOffer, encode_message


class Snapshots:
    """Takes a snapshot of the ledger every `snapshot_blocks` blocks, keeps the newest, and serves it.

    A part is the rows of one subtree of the state tree. The branches above the parts are in the offer, so that each
    part's hash follows from the certified state root, and each is verified for itself as it comes. Parts are kept by
    that hash: what a snapshot shares with the next one is neither written nor fetched again.
    """

    def __init__(self, chain: Chain, reader: Reader, limits: Limits) -> None:
        self.chain = chain
        self.limits = limits
        self._reader = reader
        self.due = False
        stored = reader.get(SNAPSHOT_TABLE, INDEX_KEY)
        self.index = None if stored is None else decode(stored, Index)
        self._places: list[bytes] = []
        """The hash of each part of the snapshot kept, in order; empty until somebody asks for one."""
        self._fetched: tuple[int, frozenset[bytes]] = (0, frozenset())

    def on_final(self, path: list[ForkNode]) -> None:
        """Note that a snapshot is due once blocks that became final cross its height."""
        every, before = self.limits.snapshot_blocks, path[0].height - 1
        self.due = self.due or path[-1].height // every > before // every

    def take(self) -> Effects:
        """Write the snapshot that is due: of the root, whose rows the store holds by now."""
        root = self.chain.tree.root
        if not self.due:
            return []
        self.due = False
        if root.block is None or self.chain.final_certificate is None:
            return []
        branches, parts = root.ledger.divided(self.limits.part_bytes)
        hashes = [hash_ for hash_, _ in opened(root.ledger.root, branches)]
        held = self.held()
        writes = self.replace_by(Index(root.height, root.hash, branches, len(parts)), hashes, held)
        parted = zip(hashes, parts, strict=True)
        writes += [(SNAPSHOT_TABLE, hash_, part) for hash_, part in parted if hash_ not in held]
        return [Store(tuple(writes))]

    def held(self) -> set[bytes]:
        """The hashes of all parts in the store: those of the snapshot kept, and of one on its way here."""
        return {key for key, _ in self._reader.scan(SNAPSHOT_TABLE) if key != INDEX_KEY}

    def expect(self, download: Download) -> None:
        """Keep the parts of a snapshot on its way here, whatever is taken meanwhile, up to a root of its height."""
        self._fetched = (download.height, frozenset(download.hashes))

    def replace_by(self, index: Index, hashes: list[bytes], held: Collection[bytes]) -> list[Write]:
        """Keep another snapshot, of these parts, in place of the one before; returns the writes, but for its parts."""
        self.index, self._places = index, hashes
        return [*self.forget(held), (SNAPSHOT_TABLE, INDEX_KEY, encode(index))]

    def forget(self, held: Collection[bytes]) -> list[Write]:
        """Delete, of the parts held, all that neither the snapshot kept has nor the one on its way here."""
        height, fetched = self._fetched
        kept = {*self._hashes(), *(fetched if height > self.chain.tree.root.height else ())}
        return [(SNAPSHOT_TABLE, hash_, None) for hash_ in sorted(held) if hash_ not in kept]

    def _hashes(self) -> list[bytes]:
        """The hash of each part of the snapshot kept; empty if there is none, or its block is gone."""
        if not self._places and self.index is not None:
            block = self.chain.block(self.index.block)
            if block is not None:
                self._places = [hash_ for hash_, _ in opened(block.header.state_root, self.index.branches)]
        return self._places

    def offer(self, peer: bytes, request: int) -> Effects:
        """Offer the newest snapshot; the caller has made sure that there is one."""
        index = self.index
        assert index is not None
        block, certificate = self.chain.block(index.block), self.chain.finality_at(index.height)
        if block is None or certificate is None:
            return []
        closings = [decode(data, EpochClosing) for _, data in self._reader.scan(CLOSING_TABLE)]
        # Those of the epochs before the block's own: the finality certificate is verified by the set after them.
        closings = closings[: block.header.epoch]
        message = SnapshotOffer(
            request=request,
            closings=tuple(closings),
            block=block,
            certificate=certificate,
            branches=index.branches,
        )
        return [Send(peer, encode_message(message))]

    def part(self, peer: bytes, request: PartRequest) -> Effects:
        """Send one part of the snapshot at a height; if a newer one is kept, offer that, which shares most parts."""
        if self.index is None or request.height > self.index.height:
            return []
        # Unasked for, but as the answer to that request: parts are kept by hash, so what came is not lost.
        if request.height < self.index.height:
            return self.offer(peer, request.request)
        hashes = self._hashes()
        data = self._reader.get(SNAPSHOT_TABLE, hashes[request.part]) if request.part < len(hashes) else None
        if data is None:
            return []
        return [
            Send(
                peer, encode_message(Part(request=request.request, height=request.height, part=request.part, rows=data))
            )
        ]
