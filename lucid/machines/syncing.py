"""Catching up: asks one peer at a time for blocks or a snapshot, and answers those who ask (protocol section 8)."""

from __future__ import annotations

from typing import NamedTuple

from lucid.chain.blocks import Block
from lucid.chain.certificates import Certificate
from lucid.chain.codec import encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.votes import FINALIZE, NOTARIZE
from lucid.ledger.state import ROW_TABLE, TREE_TABLE, Write
from lucid.machines.chain import Chain
from lucid.machines.effects import SYNC_TIMER, CaughtUp, Effects, Observe, Refused, Send, SetTimer, Store
from lucid.machines.limits import Limits
from lucid.machines.messages import (
    Blocks,
    BlocksRequest,
    Part,
    PartRequest,
    SnapshotOffer,
    encode_message,
)
from lucid.machines.snapshots import Download, Snapshots


class Question(NamedTuple):
    """A request that waits for its answer."""

    number: int
    peer: bytes


class Page(NamedTuple):
    """A page of blocks whose last one is vouched for: (hash, block) in order, new ones only."""

    blocks: tuple[tuple[bytes, Block], ...]
    certificates: tuple[Certificate, ...]


class Syncing:
    """The client side, one question at a time, and the server side of catching up."""

    def __init__(self, chain: Chain, snapshots: Snapshots, peers: tuple[bytes, ...], limits: Limits) -> None:
        self.chain = chain
        self.limits = limits
        self.snapshots = snapshots
        self.peers = peers
        self._question: Question | None = None
        self._number = 0
        self._goal = 0
        self._repair_peer: bytes | None = None
        self._useless: set[bytes] = set()
        self._download: Download | None = None
        self._served: dict[bytes, tuple[int, int]] = {}

    # -- asking --------------------------------------------------------------------------------------------------

    def behind(self, now: int, peer: bytes) -> Effects:
        """A peer showed something that this node can not follow: ask it for what lies between."""
        self._goal = max(self._goal, self._height + 1)
        return self._ask(now, peer)

    def on_peer_height(self, now: int, peer: bytes, height: int, epoch: int) -> Effects:
        """A peer said how far it is."""
        tree = self.chain.tree
        if height <= tree.root.height + self.limits.near_blocks and epoch <= tree.epoch:
            return []
        self._goal = max(self._goal, height)
        return self._ask(now, peer)

    def repair_from(self, peer: bytes | None) -> None:
        """Remember who certified a block that is not at hand."""
        if peer is not None:
            self._repair_peer = peer

    def on_repair(self, now: int) -> Effects:
        """Ask for certified blocks that have not come by themselves."""
        if not self.chain.tree.wanted or not self.peers:
            return []
        return self._ask(now, self._repair_peer or self.peers[0])

    def on_timer(self, now: int) -> Effects:
        """No answer, or nobody was left to ask: ask the next peer, if there is still something to ask."""
        question, self._question = self._question, None
        if question is not None:
            return self.again(now, question.peer)
        return self._ask(now, self.peers[0]) if self._asks_for_more and self.peers else []

    def again(self, now: int, peer: bytes) -> Effects:
        """A peer's answer was useless: ask another one, if there is still something to ask."""
        self._useless.add(peer)
        self._download = None
        return self._ask(now, peer) if self._asks_for_more else []

    @property
    def _height(self) -> int:
        """How far this node is: what is notarised needs no asking for, its finality comes with the next blocks."""
        return max(self.chain.tree.root.height, self.chain.tree.best.height)

    @property
    def _asks_for_more(self) -> bool:
        return bool(self.chain.tree.wanted) or self._goal > self._height

    def _ask(self, now: int, peer: bytes, height: int | None = None) -> Effects:
        """Ask a peer, or the next one in order whose last answer was of use: who lies gets no second turn in a row."""
        if self._question is not None:
            return []
        if peer in self._useless:
            place = self.peers.index(peer) if peer in self.peers else -1
            others = self.peers[place + 1 :] + self.peers[: place + 1]
            useful = [each for each in others if each not in self._useless]
            if not useful:
                self._useless.clear()
                self._goal = 0
                return [SetTimer(SYNC_TIMER, now + self.limits.answer_ms)]
            peer = useful[0]
        height = self.chain.tree.root.height + 1 if height is None else height
        return self._pose(now, peer, BlocksRequest(self._number + 1, height))

    def _pose(self, now: int, peer: bytes, message: BlocksRequest | PartRequest) -> Effects:
        self._number += 1
        self._question = Question(self._number, peer)
        return [Send(peer, encode_message(message)), SetTimer(SYNC_TIMER, now + self.limits.answer_ms)]

    # -- answers -------------------------------------------------------------------------------------------------

    def answered(self, peer: bytes, number: int) -> None:
        """Take a message as the answer to the question that waits; raises `UNEXPECTED` if it is not."""
        if self._question != (number, peer):
            raise Refusal(Code.UNEXPECTED)
        self._question = None

    def open_page(self, message: Blocks) -> Page:
        """Check that a page hangs together; raises `SYNC_INVALID`."""
        tree = self.chain.tree
        if not message.blocks:
            return Page((), ())
        hashes = [block.header.hash for block in message.blocks]
        linked = all(block.header.parent == above for block, above in zip(message.blocks[1:], hashes[:-1], strict=True))
        same_epoch = all(block.header.epoch == tree.epoch for block in message.blocks)
        certificates = tuple([each for each in message.certificates if each.block == hashes[-1]])
        if not linked or not same_epoch or not certificates or not all(map(self.chain.verify, certificates)):
            raise Refusal(Code.SYNC_INVALID, "page is not vouched for")
        if any(each.kind not in (NOTARIZE, FINALIZE) for each in certificates):
            raise Refusal(Code.SYNC_INVALID, "certificate of another kind")
        new = [
            (hash_, block)
            for hash_, block in zip(hashes, message.blocks, strict=True)
            if block.header.height > tree.root.height and hash_ not in tree.nodes
        ]
        return Page(tuple(new), certificates)

    def page_done(self, now: int, peer: bytes, page: Page, useful: bool) -> tuple[Effects, bool]:
        """After a page: ask for the next one while the peer has more; the flag says that the peer has no more."""
        if not useful:
            return self.again(now, peer), True
        self._useless.discard(peer)
        effects: Effects = []
        if page.blocks:
            effects.append(Observe(CaughtUp(page.blocks[-1][1].header.height, False)))
        if self._goal > self._height or len(page.blocks) == self.limits.page_blocks:
            return effects + self._ask(now, peer, self._height + 1), False
        return effects, True

    def on_snapshot_offer(self, now: int, peer: bytes, message: SnapshotOffer) -> Effects:
        """A snapshot instead of blocks: check its certificates and fetch the first part."""
        self.answered(peer, message.request)
        try:
            self._check_ahead(message)
            self._download = Download(message, self.chain.genesis, self.chain.crypto, self.limits)
        except Refusal as refusal:
            return [Observe(Refused(refusal.code)), *self.again(now, peer)]
        return self._next_part(now, peer)

    def on_part(self, now: int, peer: bytes, message: Part) -> tuple[Effects, bool]:
        """One more part; the flag says that it was the last and this node starts over from the snapshot."""
        self.answered(peer, message.request)
        try:
            if self._download is None:
                raise Refusal(Code.UNEXPECTED)
            download = self._download
            # This node went on meanwhile, and what is final stays final.
            self._check_ahead(download.offer)
            if not download.add(message):
                return self._next_part(now, peer), False
            ledger = download.ledger(self.chain.reader)
        except Refusal as refusal:
            return [Observe(Refused(refusal.code)), *self.again(now, peer)], False
        self._download = None
        writes: list[Write] = []
        for table in (ROW_TABLE, TREE_TABLE):
            writes += [(table, key, None) for key, _ in self.chain.reader.scan(table)]
        writes += self.chain.install(ledger, download.block, download.offer)
        self._useless.discard(peer)
        effects: Effects = [Store(tuple(writes)), Observe(CaughtUp(download.height, True))]
        return effects + self._ask(now, peer), True

    def _next_part(self, now: int, peer: bytes) -> Effects:
        download = self._download
        assert download is not None
        return self._pose(now, peer, PartRequest(self._number + 1, download.height, download.next_part))

    def _check_ahead(self, offer: SnapshotOffer) -> None:
        if offer.block.header.height <= self.chain.tree.root.height:
            raise Refusal(Code.SNAPSHOT_INVALID, "older than what is held")

    # -- serving -------------------------------------------------------------------------------------------------

    def on_part_request(self, now: int, peer: bytes, request: PartRequest) -> Effects:
        """A part of the snapshot; raises `THROTTLED`."""
        self._throttle(now, peer)
        return self.snapshots.part(peer, request)

    def _throttle(self, now: int, peer: bytes) -> None:
        """Count a request; a question of a few bytes may not cost this node megabytes without end."""
        second, count = now // 1_000, 1
        if peer in self._served and self._served[peer][0] == second:
            count += self._served[peer][1]
        self._served[peer] = (second, count)
        if count > self.limits.requests_a_second:
            raise Refusal(Code.THROTTLED)

    def on_blocks_request(self, now: int, peer: bytes, request: BlocksRequest) -> Effects:
        """A page of blocks from a height on, or a snapshot for a peer that is far behind; raises `THROTTLED`."""
        self._throttle(now, peer)
        index = self.snapshots.index
        if index is not None and index.height >= request.height + self.limits.snapshot_gap:
            offered = self.snapshots.offer(peer, request.request)
            if offered:
                return offered
        blocks = self._final_blocks(request.height)
        root = self.chain.tree.root
        certificates: list[Certificate | None] = []
        if not blocks and request.height <= root.height:
            # This node began at a snapshot beyond that height: what it holds would hang in the air.
            return [Send(peer, encode_message(Blocks(request.request, (), ())))]
        if blocks and blocks[-1].header.height < root.height:
            last = blocks[-1].header.height
            above = self.chain.block_at(last + 1)
            certificates = [self.chain.finality_at(last), above.parent_certificate if above is not None else None]
        elif not root.closing or request.height == root.height + 1:
            certificates = self._above_root(blocks, request.height)
        else:
            certificates = [self.chain.final_certificate]
        kept: list[Certificate] = []
        for certificate in certificates:
            if certificate is not None and certificate not in kept:
                kept.append(certificate)
        return [Send(peer, encode_message(Blocks(request.request, tuple(blocks), tuple(kept))))]

    def _final_blocks(self, height: int) -> list[Block]:
        """Final blocks of one epoch from a height on, up to a page's limits."""
        blocks: list[Block] = []
        size = 0
        limits, final = self.limits, self.chain.tree.root.height
        while height <= final and len(blocks) < limits.page_blocks and size < limits.page_bytes:
            block = self.chain.block_at(height)
            if block is None or (blocks and block.header.epoch != blocks[0].header.epoch):
                break
            blocks.append(block)
            size += len(encode(block))
            height += 1
        return blocks

    def _above_root(self, blocks: list[Block], height: int) -> list[Certificate | None]:
        """Extend a page that reaches the root by the notarised chain above it; returns the certificates of its end."""
        tree = self.chain.tree
        path = [node for node in tree.path(tree.best) if node.block is not None and node.height >= height]
        path = path[: max(0, self.limits.page_blocks - len(blocks))]
        size = sum(len(encode(block)) for block in blocks)
        for place, node in enumerate(path):
            if size >= self.limits.page_bytes:
                path = path[:place]
                break
            size += len(encode(node.block))
        while path and path[-1].certified < 0:
            path.pop()
        blocks += [node.block for node in path if node.block is not None]
        last = path[-1] if path else tree.root
        notarisation = tree.certificates.get((last.certified, NOTARIZE))
        return [self.chain.final_certificate if last is tree.root else None, notarisation]
