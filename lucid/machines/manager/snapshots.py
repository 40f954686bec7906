"""Snapshots of the final ledger: taken now and then, served in parts, verified against a certified state root."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import groupby
from typing import TypeVar

from lucid.chain.blocks import Block
from lucid.chain.closings import EpochClosing, check_final, follow_closings
from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.hashing import state_key_digest, state_value_digest
from lucid.chain.keys import Crypto
from lucid.ledger.state import ROW_TABLE, TREE_TABLE, Ledger, Reader, RowLost, Write, ledger_of_rows, tree_key
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
        rows = sorted((int.from_bytes(state_key_digest(key), "big"), key, value) for key, value in self._scan())
        branches: list[bytes] = []
        parts: list[bytes] = []
        self._divide(rows, ROOT, 0, branches, parts)
        hashes = [hash_ for hash_, _ in opened(root.ledger.root, branches)]
        held = self.held()
        writes = self.replace_by(Index(root.height, root.hash, tuple(branches), len(parts)), hashes, held)
        parted = zip(hashes, parts, strict=True)
        writes += [(SNAPSHOT_TABLE, hash_, part) for hash_, part in parted if hash_ not in held]
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
        if branch is None:  # two rows have a branch above them
            raise RowLost(TREE_TABLE, tree_key(index))
        branches.append(branch)
        shift = TOP_SHIFT - DIGIT_BITS * depth
        for digit, below in groupby(rows, lambda row: row[0] >> shift & 15):
            self._divide(list(below), (index << DIGIT_BITS) | digit, depth + 1, branches, parts)

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


class Download:
    """A snapshot on its way here: verified offer first, then each part, which the caller stores, then the whole."""

    def __init__(
        self, offer: SnapshotOffer, genesis: Genesis, crypto: Crypto, now: int, before: Download | None = None
    ) -> None:
        """Check the offer's certificates from genesis on; raises `Refusal` with `SNAPSHOT_INVALID`.

        `before` is the download in whose place this one comes: the time is counted from its beginning.
        """
        self.offer = offer
        self.height = offer.block.header.height
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
        self.hashes = [hash_ for hash_, _ in self.parts]
        self.missing = list(range(len(self.parts)))[::-1]
        """Places of the parts that are not here yet, the next one last."""
        self.begun_ms: int = now if before is None else before.begun_ms
        self.received: int = 0 if before is None else before.received
        """Parts that came, those of the download before included."""
        if now > self.deadline_ms:
            raise Refusal(Code.SNAPSHOT_INVALID, "too slow")

    @property
    def deadline_ms(self) -> int:
        """When the next part must be here: who drips is found out long before the last one."""
        return self.begun_ms + START_MS + PART_MS * (self.received + 1)

    @property
    def next_part(self) -> int:
        """The place of the part to ask for; there is one unless the download is complete."""
        return self.missing[-1]

    def keep(self, held: Collection[bytes]) -> None:
        """Ask for none of the parts that are in the store: they were verified when they came, or written here."""
        self.missing = [place for place in self.missing if self.hashes[place] not in held]

    def add(self, part: Part, now: int) -> Write:
        """Verify the next part; returns the write that keeps it. Raises `SNAPSHOT_INVALID` for any other bytes."""
        if now > self.deadline_ms:
            raise Refusal(Code.SNAPSHOT_INVALID, "too slow")
        if self.complete or (part.height, part.part) != (self.height, self.next_part):
            raise Refusal(Code.SNAPSHOT_INVALID, "part out of order")
        if len(part.rows) > MAX_PART_BYTES:
            raise Refusal(Code.SNAPSHOT_INVALID, f"part {part.part}")
        rows = _decode(part.rows, Rows)
        hash_, depth = self.parts[part.part]
        digests = {state_key_digest(key): state_value_digest(value) for key, value in rows}
        if len(digests) != len(rows) or subtree_hash(digests, depth) != hash_:
            raise Refusal(Code.SNAPSHOT_INVALID, f"part {part.part}")
        self.missing.pop()
        self.received += 1
        return (SNAPSHOT_TABLE, hash_, part.rows)

    @property
    def complete(self) -> bool:
        """Whether every part is here."""
        return not self.missing

    def ledger(self, reader: Reader, last: list[Write]) -> Ledger:
        """The ledger of all parts: as the store has them, but for those that it is only about to have."""
        fresh = {hash_: data for _, hash_, data in last}
        rows: dict[bytes, bytes] = {}
        for hash_ in self.hashes:
            data = fresh.get(hash_) or reader.get(SNAPSHOT_TABLE, hash_)
            if data is None:  # each part was stored when it came
                raise RowLost(SNAPSHOT_TABLE, hash_)
            rows.update(decode(data, Rows))
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


def _decode(data: bytes, kind: type[T]) -> T:
    try:
        return decode(data, kind)
    except Refusal as refusal:
        raise Refusal(Code.SNAPSHOT_INVALID, refusal.detail) from None


def _check_body(block: Block, crypto: Crypto) -> None:
    """The header is certified, and commits to all but its signature."""
    header = block.header
    if not block.matches_header or not crypto.verify(header.proposer, header.hash, block.signature):
        raise Refusal(Code.SNAPSHOT_INVALID, "body does not match the header")
