"""What must be stored before what: the order of effects that makes crashes harmless (architecture page)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from lucid.chain.certificates import Certificate
from lucid.chain.codec import decode
from lucid.machines.chain import BLOCK_TABLE, CERTIFICATE_TABLE, FINALITY_TABLE
from lucid.machines.decodedmessages import decode_message
from lucid.machines.effects import (
    BeginFetch,
    BlockFinal,
    Broadcast,
    CancelTimer,
    CertificateStored,
    Effect,
    Effects,
    EndFetch,
    Forward,
    Observe,
    Provided,
    Respond,
    Send,
    SetTimer,
    Store,
    Submit,
    TakePart,
    Verdict,
    ViewContext,
)
from lucid.machines.messages import (
    Blocks,
    BlocksRequest,
    CertificateMessage,
    Certificates,
    CertificatesRequest,
    Message,
    Part,
    PartRequest,
    Proposal,
    SnapshotOffer,
    Standing,
    Transactions,
    VoteMessage,
)

Needs = bytes | Certificate | None
"""A block's hash or a certificate; None, or the chain id in a block's place, needs nothing."""


def needed_by_message(message: Message) -> Iterator[Needs]:
    """What must be durable before a message leaves."""
    match message:
        case CertificateMessage() | Standing():
            yield message.certificate
        case Certificates():
            yield from message.certificates
        case Proposal():
            yield message.block.header.hash
        case Blocks():
            yield from (block.header.hash for block in message.blocks)
        case VoteMessage() | Transactions() | BlocksRequest() | CertificatesRequest() | PartRequest():
            pass  # the engine's own log holds what it signed
        case SnapshotOffer() | Part():
            pass  # read from the store
        case _:
            assert_never(message)


def needed_by(effect: Effect) -> Iterator[Needs]:
    """What must be durable before an effect."""
    match effect:
        case Forward(event=Verdict() as verdict):
            yield verdict.block
        case Forward(event=CertificateStored() as stored):
            yield stored.certificate
            yield stored.certificate.block if stored.held else None
        case Forward(event=ViewContext() as context):
            yield context.parent
            yield context.entry
        case Observe(fact=BlockFinal() as final):
            yield final.hash
        case Send() | Broadcast():
            yield from needed_by_message(decode_message(effect.data))
        case Store() | SetTimer() | CancelTimer() | Forward() | Respond() | Submit() | Observe():
            pass
        case BeginFetch() | TakePart() | EndFetch() | Provided():
            raise AssertionError("a manager copies no chunks")
        case _:
            assert_never(effect)


def assert_in_order(effects: Effects, before: dict[str, list[tuple[bytes, bytes]]], chain_id: bytes) -> None:
    """Every block and certificate was stored `before` this step, or is stored in it before what depends on it."""
    durable: set[Needs] = {None, chain_id, *(key for key, _ in before.get(BLOCK_TABLE, []))}
    for table in (CERTIFICATE_TABLE, FINALITY_TABLE):
        durable |= {decode(value, Certificate) for _, value in before.get(table, [])}
    for effect in effects:
        if isinstance(effect, Store):
            for table, key, value in effect.writes:
                if value is not None and table == BLOCK_TABLE:
                    durable.add(key)
                elif value is not None and table in (CERTIFICATE_TABLE, FINALITY_TABLE):
                    durable.add(decode(value, Certificate))
        else:
            assert durable.issuperset(needed_by(effect)), effect
