"""What anybody may ask of blocks: pages of them, one, what proves a transaction in one, and whether one is valid."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec
from quart import Response

from lucid.api.errors import CONFLICT
from lucid.chain.blocks import PROOF_BYTES, Block, Header
from lucid.chain.blocks import VERSION as BLOCK_VERSION
from lucid.chain.codec import decode, encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.receipts import Receipt, print_receipt
from lucid.ledger.rowstore import RowLost
from lucid.machines.chain import Chain
from lucid.machines.receipts import MAX_HEADERS, make_receipt
from lucid.services.chain.chainview import BlockView, ChainView, Page
from lucid.services.chain.index import INDEX_TABLE, Position, TransactionIndex
from lucid.services.chain.noderoutes import PAGE_BLOCKS
from lucid.services.process.cache import ReadCache
from lucid.services.process.driver import Driver
from lucid.services.web.admission import WRITE
from lucid.services.web.problems import Problem
from lucid.services.web.requested import REACHING, hex_bytes, number_query, query_checkpoint, query_number
from lucid.services.web.web import Web
from lucid.storage.durable import DurableStore

PAGING = {"from": number_query(0, 2**53), "limit": number_query(1, PAGE_BLOCKS)}


class Candidate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A block to judge: its canonical encoding in hexadecimal."""

    block: str


class Judgment(msgspec.Struct, frozen=True):
    """Whether a block is valid, and if not, the first rule that it breaks."""

    valid: bool
    hash: str
    code: str | None = None
    message: str | None = None


class BlockRoutes:
    """The routes of final blocks."""

    def __init__(
        self,
        *,
        chain: Chain,
        view: ChainView,
        index: TransactionIndex,
        store: DurableStore,
        cache: ReadCache,
        genesis: Genesis,
        driver: Callable[[], Driver],
    ) -> None:
        self._chain = chain
        self._view = view
        self._index = index
        self._store = store
        self._cache = cache
        self._genesis = genesis
        self._driver = driver

    def register(self, web: Web) -> None:
        """Add the routes to the service."""
        self._register_reading(web)
        self._register_judging(web)

    def _register_reading(self, web: Web) -> None:
        route = web.route

        @route("GET", "/blocks", "Final blocks, newest first", gives=Page, query=PAGING)
        async def blocks() -> Page:
            top = self._chain.tree.root.height
            first = query_number("from", top, 0, 2**53)
            limit = query_number("limit", 20, 1, PAGE_BLOCKS)
            return await self._store.read(self._view.page, min(first, top), limit)

        @route("GET", "/blocks/latest", "The last final block", gives=BlockView)
        async def latest() -> Response:
            return await self._block(str(self._chain.tree.root.height))

        @route("GET", "/blocks/<place>", "A final block, by height or hash", gives=BlockView)
        async def block(place: str) -> Response:
            return await self._block(place)

        @route("GET", "/receipts/<identity>", "What proves a final transaction, to be verified offline", query=REACHING)
        async def receipt(identity: str) -> Response:
            key = hex_bytes(identity, 32, "id")
            made = await self._store.read(self._receipt, key, query_checkpoint())
            if made is None:
                raise Problem(Code.NOT_FOUND, "final transaction")
            return Response(print_receipt(made, self._genesis), content_type="application/json")

    def _register_judging(self, web: Web) -> None:
        route = web.route

        @route(
            "POST",
            "/validate-block",
            "Judge a block, `encoded` as /blocks/{place} gives it",
            takes=Candidate,
            gives=Judgment,
            access=WRITE,
            example={"block": encode(_forged(self._genesis)).hex()},
        )
        async def validate(body: Candidate) -> Judgment:
            try:
                candidate = decode(bytes.fromhex(body.block), Block)
            except ValueError:
                raise Problem(Code.REQUEST, "block must be hexadecimal") from None
            hash_ = candidate.header.hash
            try:
                await self._driver().inspect(lambda: self._judge(candidate, hash_))
            except Refusal as refusal:
                return Judgment(False, hash_.hex(), refusal.code.code, str(refusal))
            return Judgment(True, hash_.hex())

    def _receipt(self, transaction: bytes, checkpoint: bytes | None) -> Receipt | None:
        """The receipt of a final transaction, which reaches the checkpoint; None if there is none. Raises `Problem`."""
        place = self._index.place(transaction)
        if place is None:
            return None
        if checkpoint is None:
            return self._made(transaction, place)
        block = self._view.final(checkpoint)
        if block is None:
            raise Problem(Code.RECEIPT_CHECKPOINT, "no final block here has that hash")
        height = block.header.height
        if not place.height <= height < place.height + MAX_HEADERS:
            span = f"{place.height} to {place.height + MAX_HEADERS - 1}"
            sentence = f"the checkpoint is block {height}; blocks {span} can be"
            raise Problem(Code.RECEIPT_CHECKPOINT, sentence, status=CONFLICT)
        return self._made(transaction, place, height)

    def _made(self, transaction: bytes, place: Position, reach: int = 0) -> Receipt | None:
        receipt = make_receipt(self._chain, place.height, place.position, reach)
        if receipt is not None and receipt.transaction.id != transaction:
            raise RowLost(INDEX_TABLE, transaction, "the place of another transaction")
        return receipt

    def _judge(self, block: Block, hash_: bytes) -> None:
        if self._chain.tree.nodes.get(hash_) is None and self._chain.block(hash_) != block:
            self._chain.judge(block, hash_)

    async def _block(self, place: str) -> Response:
        """A final block as JSON, which never changes: from the shared cache, if there is one and it has it."""
        if place.isascii() and place.isdigit() and len(place) <= 16:
            look = partial(self._chain.block_at, int(place))
        else:
            look = partial(self._view.final, hex_bytes(place, 32, "block"))
        held = await self._cache.get("block", place)
        if held is None:
            block = await self._store.read(look)
            if block is None:
                raise Problem(Code.NOT_FOUND, "block")
            held = msgspec.json.encode(self._view.block(block))
            await self._cache.put("block", place, held)
        return Response(held, content_type="application/json")


def _forged(genesis: Genesis) -> Block:
    """A first block that no chain takes, as an example of one."""
    nothing = bytes(32)
    header = Header(
        version=BLOCK_VERSION,
        chain=genesis.chain_id,
        height=1,
        epoch=0,
        view=1,
        tick=1,
        parent=genesis.chain_id,
        transactions_root=nothing,
        state_root=nothing,
        entity=genesis.nodes[0].key,
        proposer=genesis.nodes[0].key,
        vrf_proof=bytes(PROOF_BYTES),
        beacon=nothing,
        validators=nothing,
        next_validators=nothing,
        parent_certificate=nothing,
        late_votes=nothing,
    )
    return Block(header, bytes(64), None, (), ())
