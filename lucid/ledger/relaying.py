"""Relays in the ledger: whom an owner named, what a copy's holder says came from there, and what is owed (section 5).

A receipt moves credits and makes none: two nodes that act together can sign for bytes that never moved, and whatever
was paid on top would be paid for that too. Rules 6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from lucid.chain.codec import decode, encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.transactions import RelayMandate, RelayReceipt, StorageProof
from lucid.ledger.execution import Execution, read
from lucid.ledger.rows import (
    HoldingEntry,
    MandateEntry,
    ReceiptEntry,
    RelayedEntry,
    SessionEntry,
    anchored_key,
    holding_key,
    mandate_key,
    receipt_key,
    relayed_key,
)

Read = Callable[[bytes], bytes | None]
SETTLED = ReceiptEntry(0)
"""What a copy's receipt row says once its first proof came (section 6, rows, `l`): no receipt is for 0 chunks, so this
one is none."""


class Owed(NamedTuple):
    """What a copy's first proof leaves to others: the share that its node does not get, and what of it is the relay's
    by the receipt."""

    relay: bytes
    share: int
    due: int


def name_relay(block: Execution, mandate: RelayMandate) -> None:
    """An owner named a session's relay. Raises `Refusal`: `SESSION_UNKNOWN`, `TX_RELAY_STALE`, `TX_RELAY_TWICE`."""
    anchored = read(block, anchored_key(mandate.session, mandate.owner))
    if anchored is None:
        raise Refusal(Code.SESSION_UNKNOWN)
    # Who could name it late could take a share of copies that were there (section 11).
    if decode(anchored, SessionEntry).height < block.height - block.parameters.transaction_lifetime_blocks:
        raise Refusal(Code.TX_RELAY_STALE)
    key = mandate_key(mandate.session, mandate.owner)
    # Once: an owner that could name another one later would be paid by whoever offers it most.
    if read(block, key) is not None:
        raise Refusal(Code.TX_RELAY_TWICE)
    block.rows[key] = encode(MandateEntry(mandate.relay))


def note_receipt(block: Execution, receipt: RelayReceipt) -> None:
    """A node said what of its copy came from the relay. Raises `Refusal`: `SESSION_UNKNOWN`, `TX_RELAY_OTHER`,
    `TX_RELAY_TWICE`, `TX_RELAY_STALE`, `TX_RELAY_CLAIM`."""
    session, owner, node = receipt.session, receipt.owner, receipt.node
    # Before all that is looked up by it: where there is no session there is no mandate, and this says which is lacking.
    if read(block, anchored_key(session, owner)) is None:
        raise Refusal(Code.SESSION_UNKNOWN)
    mandate = read(block, mandate_key(session, owner))
    # The owner says who the relay is: a holder would name a friend (section 5, What a liar gets).
    if mandate is None or decode(mandate, MandateEntry).relay != receipt.relay:
        raise Refusal(Code.TX_RELAY_OTHER)
    key = receipt_key(session, owner, node)
    # One of each node, ever: a settled row stays too, so a copy is paid for once.
    if read(block, key) is not None:
        raise Refusal(Code.TX_RELAY_TWICE)
    row = read(block, holding_key(session, owner, node))
    said = None if row is None else decode(row, HoldingEntry)
    # Of the holding that will be proven, and no other: said anew, the copy may have come from elsewhere.
    if said is None or not said.ranges or said.height != receipt.height:
        raise Refusal(Code.TX_RELAY_STALE)
    if receipt.chunks > sum(count for _, count in said.ranges):
        raise Refusal(Code.TX_RELAY_CLAIM)
    block.rows[key] = encode(ReceiptEntry(receipt.chunks))


def share_owed(get: Read, proof: StorageProof, share: int, held: int) -> Owed | None:
    """What the proof of a copy of so many chunks leaves to others; None where all of it is its node's own."""
    mandate = get(mandate_key(proof.session, proof.owner))
    relay = proof.node if mandate is None else decode(mandate, MandateEntry).relay
    row = get(receipt_key(proof.session, proof.owner, proof.node))
    receipt = None if row is None else decode(row, ReceiptEntry)
    # Its own copy is the relay's as under rules 4; and only the first proof after the mandate settles (section 5).
    if relay == proof.node or receipt == SETTLED:
        return None
    came = 0 if receipt is None else min(receipt.chunks, held)
    return Owed(relay, share, share * came // held)


def relayed_in(get: Read, node: bytes, epoch: int) -> int:
    """What a node was paid as a relay in an epoch."""
    row = get(relayed_key(node))
    entry = None if row is None else decode(row, RelayedEntry)
    return entry.credits if entry is not None and entry.epoch == epoch else 0
