"""The chain as a block manager shows it: blocks and sessions in JSON's terms."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from lucid.chain.blocks import Block
from lucid.chain.codec import decode
from lucid.chain.genesis import Genesis
from lucid.chain.transactions import SessionAnchor
from lucid.ledger.rows import SessionEntry, anchored_key
from lucid.ledger.state import ROW_TABLE
from lucid.machines.chain import Chain
from lucid.services.chain.chainwords import ChainInfo
from lucid.services.chain.creditsview import CreditsView
from lucid.services.chain.membership import Membership
from lucid.services.chain.seenvotes import SeenVotes
from lucid.storage.durable import DurableStore

MAX_OWNERS = 16
"""Owners of one session id that are shown: strangers may anchor under it as often as they like."""
PAGE_SCAN = 200
"""Blocks that are looked at for one page of sessions."""


class Summary(msgspec.Struct, frozen=True):
    """A block in short. Times in ms since the Unix epoch."""

    height: int
    hash: str
    epoch: int
    view: int
    time_ms: int
    proposer: str
    transactions: int


class BlockView(msgspec.Struct, frozen=True):
    """A final block."""

    height: int
    hash: str
    epoch: int
    view: int
    time_ms: int
    parent: str
    proposer: str
    state_root: str
    transactions_root: str
    transactions: tuple[str, ...]
    encoded: str


class Page(msgspec.Struct, frozen=True):
    """Blocks in descending order, and from which height the next page goes on (None at its end)."""

    blocks: tuple[Summary, ...]
    next: int | None


class ChainStatus(msgspec.Struct, frozen=True):
    """Where the chain stands here: the last final block, its age when asked, who leads the view after it, and who the
    one after that if the first is skipped. A leader that misses no view leads for `slot_views_left` views. Times and
    durations in ms."""

    height: int
    hash: str
    epoch: int
    view: int
    time_ms: int
    age_ms: int
    block_interval_ms: int
    finality_ms: int
    leader: str
    leader_next: str
    slot_views_left: int
    node: str
    validators: tuple[str, ...]
    peers: int
    peers_connected: int


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


class ChainView:
    """What there is to see of a chain. Only final blocks are shown, but for `included`."""

    def __init__(self, chain: Chain, store: DurableStore, genesis: Genesis) -> None:
        self._chain = chain
        self._store = store
        self._genesis = genesis
        self.membership = Membership(chain, store)
        self.votes = SeenVotes(chain)
        self.credits = CreditsView(chain, genesis)

    def page(self, first: int, limit: int) -> Page:
        """At most `limit` blocks from height `first` down."""
        found: list[Summary] = []
        height = first
        while height > 0 and len(found) < limit:
            block = self._chain.block_at(height)
            if block is None:
                return Page(tuple(found), None)
            found.append(self._summary(block))
            height -= 1
        return Page(tuple(found), height or None)

    def _summary(self, block: Block) -> Summary:
        header = block.header
        return Summary(
            header.height,
            header.hash.hex(),
            header.epoch,
            header.view,
            self._genesis.tick_ms(header.tick),
            header.proposer.hex(),
            len(block.transactions),
        )

    def block(self, block: Block) -> BlockView:
        """A block in full."""
        header = block.header
        return BlockView(
            height=header.height,
            hash=header.hash.hex(),
            epoch=header.epoch,
            view=header.view,
            time_ms=self._genesis.tick_ms(header.tick),
            parent=header.parent.hex(),
            proposer=header.proposer.hex(),
            state_root=header.state_root.hex(),
            transactions_root=header.transactions_root.hex(),
            transactions=tuple(transaction.id.hex() for transaction in block.transactions),
            encoded=msgspec.msgpack.encode(block).hex(),
        )

    def final(self, hash_: bytes) -> Block | None:
        """The final block of that hash."""
        block = self._chain.block(hash_)
        held = None if block is None else self._chain.block_at(block.header.height)
        return block if held is not None and held.header.hash == hash_ else None

    def info(self) -> ChainInfo:
        """The chain and its height."""
        root = self._chain.tree.root
        return ChainInfo(
            chain_id=self._genesis.chain_id.hex(),
            genesis_time_ms=self._genesis.genesis_time_ms,
            block_interval_ms=self._genesis.parameters.block_interval_ms,
            height=root.height,
            hash=root.hash.hex(),
            epoch=root.ledger.core.head.epoch,
            state_root=root.ledger.root.hex(),
            validators=tuple(key.hex() for key in self._chain.validators.keys),
        )

    def status(self, node: bytes, now_ms: int, finality_ms: int, peers: int, connected: int) -> ChainStatus:
        """Where the chain stands; what it does not know itself is given."""
        root = self._chain.tree.root
        head, turn = root.ledger.core.head, root.turn
        members = root.ledger.core.roster.members
        time_ms = self._genesis.tick_ms(head.tick)
        now, later = (members[turn.leader(turn.parent_view + ahead)].key.hex() for ahead in (1, 2))
        validators = tuple(key.hex() for key in self._chain.validators.keys)
        interval_ms = self._genesis.parameters.block_interval_ms
        return ChainStatus(
            height=root.height,
            hash=root.hash.hex(),
            epoch=head.epoch,
            view=head.view,
            time_ms=time_ms,
            age_ms=max(0, now_ms - time_ms),
            block_interval_ms=interval_ms,
            finality_ms=finality_ms,
            leader=now,
            leader_next=later,
            slot_views_left=turn.slot_views_left,
            node=node.hex(),
            validators=validators,
            peers=peers,
            peers_connected=connected,
        )

    def height_of(self, epoch: int, view: int) -> int:
        """Height of the last final block up to a view, as far as the blocks are here."""
        low, high = 0, self._chain.tree.root.height
        while low < high:
            middle = (low + high + 1) // 2
            block = self._chain.block_at(middle)
            if block is not None and (block.header.epoch, block.header.view) > (epoch, view):
                high = middle - 1
            else:
                low = middle
        return low

    def sessions_from(self, first: int, wanted: int) -> SessionPage:
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

    def sessions_included(self) -> list[AnchoredSession]:
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

    def included(self, transaction: bytes) -> int | None:
        """Height of a block that is not final yet and holds a transaction."""
        for node in self._chain.tree.nodes.values():
            if node.block is not None and any(each.id == transaction for each in node.block.transactions):
                return node.height
        return None

    def sessions(self, session: bytes, owner: bytes) -> list[dict[str, Any]]:
        """Owner, height and transaction of each anchor of a session id, or of one owner's if `owner` is not empty.

        No transaction where the block is older than the snapshot that this node began with.
        """
        found: list[dict[str, Any]] = []
        prefix = anchored_key(session, owner)
        for key, row in self._store.scan(ROW_TABLE, prefix, MAX_OWNERS):
            if not key.startswith(prefix):
                break
            entry = decode(row, SessionEntry)
            found.append(
                {
                    "owner": entry.owner.hex(),
                    "height": entry.height,
                    "root": entry.root.hex(),
                    "transaction": self._anchor_in(entry.height, session + entry.owner),
                }
            )
        return found

    def _anchor_in(self, height: int, identity: bytes) -> str | None:
        block = self._chain.block_at(height)
        for transaction in () if block is None else block.transactions:
            if isinstance(transaction.payload, SessionAnchor) and transaction.payload.identity == identity:
                return transaction.id.hex()
        return None

    def finals(self, first: int, last: int) -> list[dict[str, Any]]:
        """The blocks of these heights, both included, with the ids of their transactions."""
        blocks = (self._chain.block_at(height) for height in range(first, last + 1))
        return [
            {
                "height": block.header.height,
                "hash": block.header.hash.hex(),
                "time_ms": self._genesis.tick_ms(block.header.tick),
                "transactions": [transaction.id.hex() for transaction in block.transactions],
            }
            for block in blocks
            if block is not None
        ]
