"""What a receipt proves, as the API says it to whoever asks."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from lucid.chain.errors import Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.keys import Crypto
from lucid.chain.receipts import verify_receipt
from lucid.chain.transactions import SessionAnchor


class Verification(msgspec.Struct, frozen=True):
    """What a receipt proves, or why it proves nothing. Times in ms since the Unix epoch."""

    valid: bool
    session: str | None = None
    transaction: str | None = None
    height: int | None = None
    block: str | None = None
    time_ms: int | None = None
    code: str | None = None
    message: str | None = None
    owner: str | None = None


def verification(data: bytes, genesis: Genesis, crypto: Crypto) -> Verification:
    """What a receipt proves to someone who has the genesis document."""
    try:
        verified = verify_receipt(data, genesis, crypto)
    except Refusal as refusal:
        return Verification(False, code=refusal.code.code, message=str(refusal))
    payload: Any = verified.transaction.payload
    anchor = payload if isinstance(payload, SessionAnchor) else None
    session = None if anchor is None else str(uuid.UUID(bytes=anchor.session))
    return Verification(
        True,
        session,
        verified.transaction.id.hex(),
        verified.height,
        verified.hash.hex(),
        verified.time_ms,
        owner=None if anchor is None else anchor.owner.hex(),
    )
