"""The chain as a block manager shows it: blocks, sessions and credits in JSON's terms."""

from __future__ import annotations

from typing import Any

import msgspec

from lucid.chain.blocks import Block
from lucid.chain.codec import decode
from lucid.chain.genesis import Genesis
from lucid.chain.transactions import SessionAnchor
from lucid.ledger.rows import SessionEntry, session_key
from lucid.machines.chain import Chain
from lucid.poot.credits import live_score, uptime_ppm


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


class ChainView:
    """What there is to see of a chain. Only final blocks are shown, but for `included`."""

    def __init__(self, chain: Chain, genesis: Genesis) -> None:
        self._chain = chain
        self._genesis = genesis

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
            header.height,
            header.hash.hex(),
            header.epoch,
            header.view,
            self._genesis.tick_ms(header.tick),
            header.parent.hex(),
            header.proposer.hex(),
            header.state_root.hex(),
            header.transactions_root.hex(),
            tuple(transaction.id.hex() for transaction in block.transactions),
            msgspec.msgpack.encode(block).hex(),
        )

    def final(self, hash_: bytes) -> Block | None:
        """The final block of that hash."""
        block = self._chain.block(hash_)
        held = None if block is None else self._chain.block_at(block.header.height)
        return block if held is not None and held.header.hash == hash_ else None

    def info(self) -> dict[str, Any]:
        """The chain and its height."""
        root = self._chain.tree.root
        return {
            "chain_id": self._genesis.chain_id.hex(),
            "genesis_time_ms": self._genesis.genesis_time_ms,
            "block_interval_ms": self._genesis.parameters.block_interval_ms,
            "height": root.height,
            "hash": root.hash.hex(),
            "epoch": root.ledger.core.head.epoch,
            "state_root": root.ledger.root.hex(),
            "validators": [key.hex() for key in self._chain.validators.keys],
        }

    def included(self, transaction: bytes) -> int | None:
        """Height of a block that is not final yet and holds a transaction."""
        for node in self._chain.tree.nodes.values():
            if node.block is not None and any(each.id == transaction for each in node.block.transactions):
                return node.height
        return None

    def session(self, session: bytes) -> dict[str, Any] | None:
        """Height and transaction of a session's anchor."""
        row = self._chain.tree.root.ledger.row(session_key(session))
        if row is None:
            return None
        entry = decode(row, SessionEntry)
        block = self._chain.block_at(entry.height)
        for transaction in () if block is None else block.transactions:
            if isinstance(transaction.payload, SessionAnchor) and transaction.payload.session == session:
                return {"height": entry.height, "transaction": transaction.id.hex()}
        return None  # its block is older than the snapshot that this node began with

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

    def credits(self) -> list[dict[str, Any]]:
        """What each member's work counts for."""
        core = self._chain.tree.root.ledger.core
        tally = core.tally
        rows = []
        for number, member in enumerate(core.roster.members):
            uptime = uptime_ppm(tally.beacons[number], tally.held[number])
            rows.append(
                {
                    "node": member.key.hex(),
                    "name": member.name,
                    "credits": tally.credits[number],
                    "uptime_ppm": uptime,
                    "live_score": live_score(tally.credits[number], uptime, tally.penalty_ppm[number]),
                }
            )
        return rows
