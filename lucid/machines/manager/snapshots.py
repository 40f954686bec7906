"""Snapshots of the final ledger: taken now and then, served in parts, verified against a certified state root."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import TypeVar

from lucid.chain.blocks import Block, body_matches
from lucid.chain.closings import EpochClosing, check_final, follow_closings
from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.hashing import state_key_digest, state_value_digest
from lucid.chain.keys import Crypto
from lucid.ledger.state import ROW_TABLE, TREE_TABLE, Ledger, Reader, Write, ledger_of_rows, tree_key
from lucid.ledger.tree import DIGIT_BITS, ROOT, TOP_SHIFT, opened, subtree_hash
from lucid.machines.chain import CLOSING_TABLE, Chain
from lucid.machines.effects import Effects, Send, Store
from lucid.machines.forktree import ForkNode
from lucid.machines.limits import Limits
from lucid.machines.messages import Part, PartRequest, SnapshotOffer, encode_message

SNAPSHOT_TABLE = "snapshot"
INDEX_KEY = b"contents"
START_MS = 60_000
"""See `PART_MS`."""
PART_MS = 2_000
"""A download may take a minute, and two seconds for each part so far: a liar may not occupy a node for hours."""
MAX_PART_BYTES = 2 << 20
"""A part has a MiB at most, unless a single row is larger."""

T = TypeVar("T")

Rows = tuple[tuple[bytes, bytes], ...]


class Index(Record):
    """What the stored snapshot is of: a final block's height and hash, the branches opened, and how many parts."""

    height: int
    block: bytes
    branches: tuple[bytes, ...]
    parts: int


class Snapshots:
    """Takes a snapshot of the ledger every `snapshot_blocks` blocks, keeps the newest, and serves it.

    A part is the rows of one subtree of the state tree. The branches above the parts are in the offer, so that each
    part's hash follows from the certified state root, and each is verified for itself as it comes.
    """

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
        rows = sorted((int.from_bytes(state_key_digest(key), "big"), key, value) for key, value in self._scan())
        branches: list[bytes] = []
        parts: list[bytes] = []
        self._divide(rows, ROOT, 0, branches, parts)
        writes = self.replace_by(Index(root.height, root.hash, tuple(branches), len(parts)))
        writes += [(SNAPSHOT_TABLE, part_key(root.height, place), part) for place, part in enumerate(parts)]
        return [Store(tuple(writes))]

    def _scan(self) -> Iterable[tuple[bytes, bytes]]:
        return self._reader.scan(ROW_TABLE)

    def _divide(
        self, rows: list[tuple[int, bytes, bytes]], index: int, depth: int, branches: list[bytes], parts: list[bytes]
    ) -> None:
        """Open the subtree at `index` if its rows are too many for a part, and go on with its children."""
        size = sum(len(key) + len(value) for _, key, value in rows)
        if size <= self.limits.part_bytes or len(rows) == 1:
            parts.append(encode([(key, value) for _, key, value in rows]))
            return
        branch = self._reader.get(TREE_TABLE, tree_key(index))
        assert branch is not None, "two rows have a branch above them"
        branches.append(branch)
        shift = TOP_SHIFT - DIGIT_BITS * depth
        for digit, below in groupby(rows, lambda row: row[0] >> shift & 15):
            self._divide(list(below), (index << DIGIT_BITS) | digit, depth + 1, branches, parts)

    def replace_by(self, index: Index) -> list[Write]:
        """Keep another snapshot in place of the one before; returns the writes, but for its parts."""
        writes = self.forget(index.height)
        self.index = index
        return [*writes, (SNAPSHOT_TABLE, INDEX_KEY, encode(index))]

    def forget(self, *heights: int) -> list[Write]:
        """Delete all parts but those of snapshots at these heights."""
        kept = {part_key(height, 0)[:8] for height in heights}
        stored = [key for key, _ in self._reader.scan(SNAPSHOT_TABLE)]
        return [(SNAPSHOT_TABLE, key, None) for key in stored if key != INDEX_KEY and key[:8] not in kept]

    def offer(self, peer: bytes, request: int) -> Effects:
        """Offer the newest snapshot; the caller has made sure that there is one."""
        index = self.index
        assert index is not None
        block, certificate = self.chain.block(index.block), self.chain.finality_at(index.height)
        if block is None or certificate is None:
            return []
        closings = [decode(data, EpochClosing) for _, data in self._reader.scan(CLOSING_TABLE)]
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
        """Send one part of the snapshot at a height, if that is still the one kept."""
        if self.index is None or self.index.height != request.height or request.part >= self.index.parts:
            return []
        data = self._reader.get(SNAPSHOT_TABLE, part_key(request.height, request.part))
        if data is None:
            return []
        return [
            Send(
                peer, encode_message(Part(request=request.request, height=request.height, part=request.part, rows=data))
            )
        ]


class Download:
    """A snapshot on its way here: verified offer first, then each part, which the caller stores, then the whole."""

    def __init__(self, offer: SnapshotOffer, genesis: Genesis, crypto: Crypto, now: int) -> None:
        """Check the offer's certificates from genesis on; raises `Refusal` with `SNAPSHOT_INVALID`."""
        self.offer = offer
        self.height = offer.block.header.height
        self.next_part = 0
        try:
            validators = follow_closings(genesis, offer.closings, crypto)
            epoch = len(offer.closings)
            check_final(offer.block.header, offer.certificate, epoch, validators, genesis.chain_id, crypto)
        except Refusal as refusal:
            raise Refusal(Code.SNAPSHOT_INVALID, refusal.detail) from None
        _check_body(offer.block, crypto)
        try:
            self.parts = opened(offer.block.header.state_root, offer.branches)
        except ValueError as error:
            raise Refusal(Code.SNAPSHOT_INVALID, str(error)) from None
        self.begun_ms = now

    @property
    def deadline_ms(self) -> int:
        """When the next part must be here: who drips is found out long before the last one."""
        return self.begun_ms + START_MS + PART_MS * (self.next_part + 1)

    def add(self, part: Part, now: int) -> Write:
        """Verify the next part; returns the write that keeps it. Raises `SNAPSHOT_INVALID` for any other bytes."""
        if now > self.deadline_ms:
            raise Refusal(Code.SNAPSHOT_INVALID, "too slow")
        if (part.height, part.part) != (self.height, self.next_part) or self.next_part >= len(self.parts):
            raise Refusal(Code.SNAPSHOT_INVALID, "part out of order")
        if len(part.rows) > MAX_PART_BYTES:
            raise Refusal(Code.SNAPSHOT_INVALID, f"part {part.part}")
        rows = _decode(part.rows, Rows)
        hash_, depth = self.parts[part.part]
        digests = {state_key_digest(key): state_value_digest(value) for key, value in rows}
        if len(digests) != len(rows) or subtree_hash(digests, depth) != hash_:
            raise Refusal(Code.SNAPSHOT_INVALID, f"part {part.part}")
        self.next_part += 1
        return (SNAPSHOT_TABLE, part_key(self.height, part.part), part.rows)

    @property
    def complete(self) -> bool:
        """Whether every part has come."""
        return self.next_part == len(self.parts)

    def ledger(self, reader: Reader, last: Part) -> Ledger:
        """The ledger of all parts: those before the last as the store has them."""
        rows: dict[bytes, bytes] = {}
        for place in range(last.part):
            data = reader.get(SNAPSHOT_TABLE, part_key(self.height, place))
            assert data is not None, "each part was stored when it came"
            rows.update(decode(data, Rows))
        rows.update(decode(last.rows, Rows))
        ledger = ledger_of_rows(reader, rows)
        assert ledger is not None, "a certified state holds the core's rows"
        assert ledger.root == self.offer.block.header.state_root, "each part was verified against it"
        return ledger

    @property
    def index(self) -> Index:
        """What this node can offer once it has installed the snapshot."""
        return Index(self.height, self.block.header.hash, self.offer.branches, len(self.parts))

    @property
    def block(self) -> Block:
        """The final block that the snapshot is of."""
        return self.offer.block


def part_key(height: int, place: int) -> bytes:
    """Store key of a part of the snapshot at a height."""
    return height.to_bytes(8, "big") + place.to_bytes(4, "big")


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
