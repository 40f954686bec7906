"""Receipts as a node makes them from its own store."""

from __future__ import annotations

from lucid.chain.blocks import Header
from lucid.chain.closings import EpochClosing
from lucid.chain.codec import decode, encode
from lucid.chain.hashing import transaction_tree_digest
from lucid.chain.merkle import inclusion_proof
from lucid.chain.receipts import Receipt
from lucid.ledger.rowstore import RowLost
from lucid.machines.chain import CLOSING_TABLE, Chain, height_key

MAX_HEADERS = 10_000
"""How far a receipt goes to reach a checkpoint: a day and some at 10 s a block, some 5 MB."""


def make_receipt(chain: Chain, height: int, place: int, reach: int = 0) -> Receipt | None:
    """The receipt of the transaction at `place` of the final block at `height`; None if the store lacks a block.

    Its headers go to the height `reach` at least, which must be within `MAX_HEADERS` of `height`.
    """
    assert reach - height < MAX_HEADERS
    block = chain.block_at(height)
    if block is None or not 0 <= place < len(block.transactions):
        return None
    headers: list[Header] = [block.header]
    while headers[-1].height < reach or (certificate := chain.finality_at(headers[-1].height)) is None:
        following = chain.block_at(headers[-1].height + 1)
        if following is None:
            return None
        headers.append(following.header)
    closings = []
    for epoch in range(headers[-1].epoch):
        data = chain.reader.get(CLOSING_TABLE, height_key(epoch))
        if data is None:  # the closing of every epoch before is kept
            raise RowLost(CLOSING_TABLE, height_key(epoch))
        closings.append(decode(data, EpochClosing))
    leaves = [encode(transaction) for transaction in block.transactions]
    path = inclusion_proof(leaves, place, transaction_tree_digest)
    return Receipt(
        transaction=block.transactions[place],
        place=place,
        size=len(leaves),
        path=path,
        headers=tuple(headers),
        certificate=certificate,
        closings=tuple(closings),
    )
