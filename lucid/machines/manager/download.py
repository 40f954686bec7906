"""A download of a snapshot: an offer that holds, and its parts as they come, each verified (protocol section 8)."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from lucid.chain.blocks import Block
from lucid.chain.closings import check_final, follow_closings
from lucid.chain.codec import decode
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.hashing import state_key_digest, state_value_digest
from lucid.chain.keys import Crypto
from lucid.ledger.rowstore import Reader, RowLost, Write
from lucid.ledger.state import Ledger, ledger_of_rows
from lucid.ledger.tree import opened, subtree_hash
from lucid.machines.manager.snapshotrows import SNAPSHOT_TABLE, Index, Rows
from lucid.machines.messages import Part, SnapshotOffer

START_MS = 60_000
"""See `PART_MS`."""
PART_MS = 2_000
"""A download may take a minute, and two seconds for each part so far: a liar may not occupy a node for hours (section
8, Snapshots). A part of one MiB takes two seconds at 4 Mbit/s."""
MAX_PART_BYTES = 2 << 20
"""A part has a MiB at most, unless a single row is larger (section 8, message 12)."""
T = TypeVar("T")


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
            # From genesis on, through each epoch's own quorum: no single peer vouches for a snapshot (section 8,
            # Snapshots).
            validators = follow_closings(genesis, offer.closings, crypto)
            epoch = len(offer.closings)
            check_final(offer.block.header, offer.certificate, epoch, validators, genesis.chain_id, crypto)
        except Refusal as refusal:
            raise Refusal(Code.SNAPSHOT_INVALID, refusal.detail) from None
        _check_body(offer.block, crypto)
        # Check 4: the branches follow from the root that is certified, or parts would be verified by made-up hashes.
        try:
            self.parts = opened(offer.block.header.state_root, offer.branches)
        except ValueError as error:
            raise Refusal(Code.SNAPSHOT_INVALID, str(error)) from None
        self.hashes = [hash_ for hash_, _ in self.parts]
        self.missing = list(range(len(self.parts)))[::-1]
        """Places of the parts that are not here yet, the next one last."""
        # A newer offer in the middle goes on with the old time: else a liar renews its own by offering again.
        self.begun_ms: int = now if before is None else before.begun_ms
        self.received: int = 0 if before is None else before.received
        """Parts that came, those of the download before included."""
        # Check 6 of section 8, before the first part as well: a newer offer in each answer would else go on forever.
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
        # Check 6 of section 8: who drips gives way, and the parts that came are kept for the next one.
        if now > self.deadline_ms:
            raise Refusal(Code.SNAPSHOT_INVALID, "too slow")
        # One part at a time, in order: what is on its way is bounded by one.
        if self.complete or (part.height, part.part) != (self.height, self.next_part):
            raise Refusal(Code.SNAPSHOT_INVALID, "part out of order")
        if len(part.rows) > MAX_PART_BYTES:
            raise Refusal(Code.SNAPSHOT_INVALID, f"part {part.part}")
        rows = _decode(part.rows, Rows)
        hash_, depth = self.parts[part.part]
        digests = {state_key_digest(key): state_value_digest(value) for key, value in rows}
        # By the hash that follows from the certified root: what is made up is refused as it comes, not at the end.
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
    # A part that does not decode is one more that does not hold (section 8, check 5): the peer is told nothing finer.
    try:
        return decode(data, kind)
    except Refusal as refusal:
        raise Refusal(Code.SNAPSHOT_INVALID, refusal.detail) from None


def _check_body(block: Block, crypto: Crypto) -> None:
    """The header is certified, and commits to all but its signature."""
    header = block.header
    if not block.matches_header or not crypto.verify(header.proposer, header.hash, block.signature):
        raise Refusal(Code.SNAPSHOT_INVALID, "body does not match the header")
