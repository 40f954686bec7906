"""Snapshots of the final ledger: taken now and then, served in parts, verified against a certified state root."""

from __future__ import annotations

from typing import TypeVar

from lucid.chain.blocks import Block, body_matches
from lucid.chain.closings import EpochClosing, check_final, follow_closings
from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.hashing import snapshot_digest, state_key_digest, state_value_digest
from lucid.chain.keys import Crypto
from lucid.ledger.state import ROW_TABLE, Ledger, Reader, Write, ledger_of_rows
from lucid.ledger.tree import TreeUpdate
from lucid.machines.chain import CLOSING_TABLE, Chain
from lucid.machines.effects import Effects, Send, Store
from lucid.machines.forktree import ForkNode
from lucid.machines.limits import Limits
from lucid.machines.messages import Part, PartRequest, SnapshotOffer, encode_message

SNAPSHOT_TABLE = "snapshot"
INDEX_KEY = b"index"
MAX_PART_BYTES = 2 << 20
"""A part goes on until it has `part_bytes`, a MiB, so it exceeds that by less than its last row."""

T = TypeVar("T")

Rows = tuple[tuple[bytes, bytes], ...]


class Index(Record):
    """What the stored snapshot is of: a final block's height and hash, and the digest of each part."""

    height: int
    block: bytes
    parts: tuple[bytes, ...]


class Snapshots:
    """Takes a snapshot of the ledger every `snapshot_blocks` blocks, keeps the newest, and serves it."""

    def __init__(self, chain: Chain, reader: Reader, limits: Limits) -> None:
        self.chain = chain
        self.limits = limits
        self._reader = reader
        self.due = False
        stored = reader.get(SNAPSHOT_TABLE, INDEX_KEY)
        self.index = None if stored is None else decode(stored, Index)

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
        parts: list[bytes] = []
        page: list[tuple[bytes, bytes]] = []
        size = 0
        for key, value in self._reader.scan(ROW_TABLE):
            page.append((key, value))
            size += len(key) + len(value)
            if size >= self.limits.part_bytes:
                parts.append(encode(page))
                page, size = [], 0
        parts.append(encode(page))
        old = len(self.index.parts) if self.index is not None else 0
        self.index = Index(root.height, root.hash, tuple([snapshot_digest(part) for part in parts]))
        writes: list[Write] = [(SNAPSHOT_TABLE, part_key(place), part) for place, part in enumerate(parts)]
        writes += [(SNAPSHOT_TABLE, part_key(place), None) for place in range(len(parts), old)]
        writes.append((SNAPSHOT_TABLE, INDEX_KEY, encode(self.index)))
        return [Store(tuple(writes))]

    def offer(self, peer: bytes, request: int) -> Effects:
        """Offer the newest snapshot; the caller has made sure that there is one."""
        index = self.index
        assert index is not None
        block, certificate = self.chain.block(index.block), self.chain.finality_at(index.height)
        if block is None or certificate is None:
            return []
        closings = [decode(data, EpochClosing) for _, data in self._reader.scan(CLOSING_TABLE)]
        closings = closings[: block.header.epoch]
        message = SnapshotOffer(request, tuple(closings), block, certificate, index.parts)
        return [Send(peer, encode_message(message))]

    def part(self, peer: bytes, request: PartRequest) -> Effects:
        """Send one part of the snapshot at a height, if that is still the one kept."""
        if self.index is None or self.index.height != request.height:
            return []
        data = self._reader.get(SNAPSHOT_TABLE, part_key(request.part))
        if data is None:
            return []
        return [Send(peer, encode_message(Part(request.request, request.height, request.part, data)))]


class Download:
    """A snapshot on its way here: verified offer first, then each part, then the state root."""

    def __init__(self, offer: SnapshotOffer, genesis: Genesis, crypto: Crypto, limits: Limits) -> None:
        """Check the offer's certificates from genesis on; raises `Refusal` with `SNAPSHOT_INVALID`."""
        if len(offer.parts) > limits.max_parts:
            raise Refusal(Code.SNAPSHOT_INVALID, f"{len(offer.parts)} parts")
        self.offer = offer
        self.height = offer.block.header.height
        self._rows: dict[bytes, bytes] = {}
        self.next_part = 0
        try:
            validators = follow_closings(genesis, offer.closings, crypto)
            epoch = len(offer.closings)
            check_final(offer.block.header, offer.certificate, epoch, validators, genesis.chain_id, crypto)
        except Refusal as refusal:
            raise Refusal(Code.SNAPSHOT_INVALID, refusal.detail) from None
        _check_body(offer.block, crypto)
        if not offer.parts:
            raise Refusal(Code.SNAPSHOT_INVALID, "no parts")

    def add(self, part: Part) -> bool:
        """Add the next part; returns whether it was the last. Raises `SNAPSHOT_INVALID` for any other bytes."""
        parts = self.offer.parts
        if (part.height, part.part) != (self.height, self.next_part) or self.next_part >= len(parts):
            raise Refusal(Code.SNAPSHOT_INVALID, "part out of order")
        if len(part.rows) > MAX_PART_BYTES or snapshot_digest(part.rows) != parts[part.part]:
            raise Refusal(Code.SNAPSHOT_INVALID, f"part {part.part}")
        self._rows.update(_decode(part.rows, Rows))
        self.next_part += 1
        return self.next_part == len(parts)

    def ledger(self, reader: Reader) -> Ledger:
        """The ledger of the downloaded rows; raises `SNAPSHOT_INVALID` if its root is not the certified one."""
        # Before anything reads the rows: a ledger may rely on what is in them.
        changes = {state_key_digest(key): state_value_digest(value) for key, value in self._rows.items()}
        if TreeUpdate(lambda index: None).apply(changes) != self.offer.block.header.state_root:
            raise Refusal(Code.SNAPSHOT_INVALID, "state root")
        ledger = ledger_of_rows(reader, self._rows)
        assert ledger is not None, "a certified state holds the core's rows"
        return ledger

    @property
    def block(self) -> Block:
        """The final block that the snapshot is of."""
        return self.offer.block


def part_key(place: int) -> bytes:
    """Store key of a snapshot's part."""
    return place.to_bytes(4, "big")


def _decode(data: bytes, kind: type[T]) -> T:
    try:
        return decode(data, kind)
    except Refusal as refusal:
        raise Refusal(Code.SNAPSHOT_INVALID, refusal.detail) from None


def _check_body(block: Block, crypto: Crypto) -> None:
    """The header is certified, and commits to all but its signature."""
    header = block.header
    if not body_matches(block) or not crypto.verify(header.proposer, header.hash, block.signature):
        raise Refusal(Code.SNAPSHOT_INVALID, "body does not match the header")
