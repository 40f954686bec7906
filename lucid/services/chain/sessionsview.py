"""The sessions of a chain as a block manager shows them, in JSON's terms."""

from __future__ import annotations

import uuid

import msgspec

from lucid.api.answers import Count, Key
from lucid.chain.blocks import Block
from lucid.chain.codec import decode
from lucid.chain.genesis import Genesis
from lucid.chain.transactions import SessionAnchor
from lucid.ledger.rows import SessionEntry, anchored_key
from lucid.ledger.state import ROW_TABLE
from lucid.machines.chain import Chain
from lucid.storage.durable import DurableStore

MAX_OWNERS = 16
"""Owners of one session id that are shown: strangers may anchor under it as often as they like."""
PAGE_SCAN = 200
"""Blocks that are looked at for one page of sessions."""


class AnchoredSession(msgspec.Struct, frozen=True):
    """A session in a block, final or not yet. Time of the block in ms since the Unix epoch."""

    session: str
    owner: str
    transaction: str
    height: int
    time_ms: int


class SessionPage(msgspec.Struct, frozen=True):
    """The sessions of some final blocks in descending order, from the height `first` down to `last`; `next` is the
    height from which the next page goes on (None at its end)."""

    sessions: tuple[AnchoredSession, ...]
    first: int
    last: int
    next: int | None


class HeldSession(msgspec.Struct, frozen=True):
    """A session as the chain holds it, and the transaction that anchored it (None: in a block that the manager does not
    have). A manager of an older release names no root."""

    owner: Key
    height: Count
    transaction: Key | None
    root: Key | None = None


class SessionsView:
    """What there is to see of sessions: those of final blocks, and of blocks that are to be."""

    def __init__(self, chain: Chain, store: DurableStore, genesis: Genesis) -> None:
        self._chain = chain
        self._store = store
        self._genesis = genesis

    def page(self, first: int, wanted: int) -> SessionPage:
        """The sessions in final blocks from height `first` down: those of whole blocks until there are `wanted`, in so
        many blocks at most as may be looked at."""
        found: list[AnchoredSession] = []
        height = first
        while height > 0 and first - height < PAGE_SCAN and len(found) < wanted:
            block = self._chain.block_at(height)
            if block is None:
                return SessionPage(tuple(found), first, height + 1, None)
            found += self._anchored(block)
            height -= 1
        return SessionPage(tuple(found), first, height + 1, height or None)

    def unfinal(self) -> list[AnchoredSession]:
        """The sessions in blocks that are not final yet."""
        tree = self._chain.tree
        above = [node for node in tree.nodes.values() if node.height > tree.root.height]
        return [each for node in above if node.block is not None for each in self._anchored(node.block)]

    def _anchored(self, block: Block) -> list[AnchoredSession]:
        time_ms = self._genesis.tick_ms(block.header.tick)
        return [
            AnchoredSession(
                session=str(uuid.UUID(bytes=payload.session)),
                owner=payload.owner.hex(),
                transaction=transaction.id.hex(),
                height=block.header.height,
                time_ms=time_ms,
            )
            for transaction in block.transactions
            if isinstance(payload := transaction.payload, SessionAnchor)
        ]

    def named(self, session: bytes, owner: bytes) -> list[HeldSession]:
        """Owner, height and transaction of each anchor of a session id, or of one owner's if `owner` is not empty.

        No transaction where the block is older than the snapshot that this node began with.
        """
        found: list[HeldSession] = []
        prefix = anchored_key(session, owner)
        for key, row in self._store.scan(ROW_TABLE, prefix, MAX_OWNERS):
            if not key.startswith(prefix):
                break
            entry = decode(row, SessionEntry)
            transaction = self._anchor_in(entry.height, session + entry.owner)
            found.append(HeldSession(entry.owner.hex(), entry.height, transaction, entry.root.hex()))
        return found

    def _anchor_in(self, height: int, identity: bytes) -> str | None:
        block = self._chain.block_at(height)
        for transaction in () if block is None else block.transactions:
            if isinstance(transaction.payload, SessionAnchor) and transaction.payload.identity == identity:
                return transaction.id.hex()
        return None
