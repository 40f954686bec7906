"""The chain as a block manager shows it: its blocks and where it stands, in JSON's terms."""

from __future__ import annotations

import msgspec

from lucid.chain.blocks import Block
from lucid.chain.genesis import Genesis
from lucid.machines.chain import Chain
from lucid.services.chain.chainwords import ChainInfo
from lucid.services.chain.creditsview import CreditsView
from lucid.services.chain.membership import Membership
from lucid.services.chain.seenvotes import SeenVotes
from lucid.services.chain.sessionsview import SessionsView
from lucid.storage.durable import DurableStore


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


class FinalBlock(msgspec.Struct, frozen=True):
    """A final block as the node's other services follow the chain by it, with the ids of its transactions."""

    height: int
    hash: str
    time_ms: int
    transactions: tuple[str, ...]


class ChainView:
    """What there is to see of a chain. Only final blocks are shown, but for `included`."""

    def __init__(self, chain: Chain, store: DurableStore, genesis: Genesis) -> None:
        self._chain = chain
        self._store = store
        self._genesis = genesis
        self.sessions = SessionsView(chain, store, genesis)
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

    def included(self, transaction: bytes) -> int | None:
        """Height of a block that is not final yet and holds a transaction."""
        for node in self._chain.tree.nodes.values():
            if node.block is not None and any(each.id == transaction for each in node.block.transactions):
                return node.height
        return None

    def finals(self, first: int, last: int) -> list[FinalBlock]:
        """The blocks of these heights, both included, with the ids of their transactions."""
        blocks = (self._chain.block_at(height) for height in range(first, last + 1))
        return [
            FinalBlock(
                height=block.header.height,
                hash=block.header.hash.hex(),
                time_ms=self._genesis.tick_ms(block.header.tick),
                transactions=tuple([transaction.id.hex() for transaction in block.transactions]),
            )
            for block in blocks
            if block is not None
        ]
