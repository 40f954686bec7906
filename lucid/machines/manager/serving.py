"""Serving others: pages of blocks, a snapshot in place of many and its parts, certificates (protocol section 8)."""

from __future__ import annotations

from lucid.chain.blocks import Block
from lucid.chain.certificates import Certificate
from lucid.chain.codec import encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.votes import NOTARIZE, SKIP
from lucid.machines.chain import Chain
from lucid.machines.effects import Effects, Send
from lucid.machines.limits import Limits
from lucid.machines.manager.snapshots import Snapshots
from lucid.machines.messages import (
    Blocks,
    BlocksRequest,
    Certificates,
    CertificatesRequest,
    PartRequest,
    encode_message,
)
from lucid.machines.quota import SECOND_MS, Quota


class Serving:
    """The side that answers; `Syncing` asks for blocks, `Gaps` for certificates."""

    def __init__(self, chain: Chain, snapshots: Snapshots, limits: Limits) -> None:
        self.chain = chain
        self.snapshots = snapshots
        self.limits = limits
        self._served = Quota(limits.requests_a_second, SECOND_MS)

    def on_part_request(self, now: int, peer: bytes, request: PartRequest) -> Effects:
        """A part of the snapshot; raises `THROTTLED`."""
        self._throttle(now, peer)
        return self.snapshots.part(peer, request)

    def _throttle(self, now: int, peer: bytes) -> None:
        """Count a request; a question of a few bytes may not cost this node megabytes without end."""
        if not self._served.spend(now, peer):
            raise Refusal(Code.THROTTLED)

    def on_certificates_request(self, now: int, peer: bytes, request: CertificatesRequest) -> Effects:
        """Serve the skip certificates that this node holds of the views asked for, up to a page; raises `THROTTLED`."""
        self._throttle(now, peer)
        tree = self.chain.tree
        if request.epoch != tree.epoch or request.last < request.first:
            return []
        last = min(request.last, request.first + self.limits.page_certificates - 1)
        found = [tree.certificates.get((view, SKIP)) for view in range(request.first, last + 1)]
        page = tuple([certificate for certificate in found if certificate is not None])
        return [Send(peer, encode_message(Certificates(page)))] if page else []

    def on_blocks_request(self, now: int, peer: bytes, request: BlocksRequest) -> Effects:
        """A page of blocks from a height on, or a snapshot for a peer that is far behind; raises `THROTTLED`."""
        self._throttle(now, peer)
        index = self.snapshots.index
        # Four pages behind: whoever takes the snapshot executes none of these blocks.
        if index is not None and index.height >= request.height + self.limits.snapshot_gap:
            offered = self.snapshots.offer(peer, request.request)
            if offered:
                return offered
        blocks = self._final_blocks(request.height)
        root = self.chain.tree.root
        certificates: list[Certificate | None] = []
        if not blocks and request.height <= root.height:
            # This node began at a snapshot beyond that height: what it holds could not be linked.
            return [Send(peer, encode_message(Blocks(request.request, (), ())))]
        # One of them is there: the last block was made final directly, or its child carries its notarization.
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
            # One validator set verifies a page: the next epoch's follows from its last block.
            if block is None or (blocks and block.header.epoch != blocks[0].header.epoch):
                break
            blocks.append(block)
            size += len(encode(block))
            height += 1
        return blocks

    def _above_root(self, blocks: list[Block], height: int) -> list[Certificate | None]:
        """Extend a page that reaches the root by the notarized chain above it; returns the certificates of its end."""
        tree = self.chain.tree
        path = [node for node in tree.path(tree.best) if node.block is not None and node.height >= height]
        path = path[: max(0, self.limits.page_blocks - len(blocks))]
        size = sum(len(encode(block)) for block in blocks)
        for place, node in enumerate(path):
            if size >= self.limits.page_bytes:
                path = path[:place]
                break
            size += len(encode(node.block))
        # What nobody certified yet, nobody vouches for: it comes as a proposal, or once it is certified.
        while path and path[-1].certified < 0:
            path.pop()
        blocks += [node.block for node in path if node.block is not None]
        last = path[-1] if path else tree.root
        notarization = tree.certificates.get((last.certified, NOTARIZE))
        return [self.chain.final_certificate if last is tree.root else None, notarization]
