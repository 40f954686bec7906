"""What session anchoring makes of a session that the chain holds, whatever its manager still has of the block."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import pytest

from lucid.chain.transactions import SessionAnchor, Transaction
from lucid.machines.effects import SessionSettled
from lucid.services.process.sibling import Sibling
from lucid.services.sessions.anchored import AnchoredSessions

ANCHOR = SessionAnchor(
    session=bytes(16),
    owner=bytes(32),
    started_ms=1,
    ended_ms=2,
    manifest=b"m" * 32,
    root=b"r" * 32,
    chunks=1,
    total_bytes=2_000,
    policy=b"",
    signature=bytes(64),
)
OWN = Transaction(ANCHOR, b"", 0, b"").id


class Manager:
    """A manager that holds a session so."""

    def __init__(self, held: dict[str, Any]) -> None:
        self.held = held

    async def get(self, path: str) -> dict[str, Any]:
        """See `Sibling`."""
        return {"sessions": [{"owner": ANCHOR.owner.hex(), "height": 7, **self.held}]}

    def understood(self) -> AbstractContextManager[None]:
        """See `Sibling`."""
        return nullcontext()


@pytest.mark.parametrize(
    ("held", "transaction"),
    [
        ({"transaction": "ab" * 32, "root": "72" * 32}, b"\xab" * 32),
        ({"transaction": None, "root": "72" * 32}, OWN),
        ({"transaction": None, "root": "00" * 32}, None),
        ({"transaction": None}, None),
    ],
    ids=["block", "older than the manager's blocks", "another anchor", "manager of before"],
)
async def test_a_session_is_settled_by_what_the_chain_holds(held: dict[str, Any], transaction: bytes | None) -> None:
    found = await AnchoredSessions(cast(Sibling, Manager(held))).settled(ANCHOR)
    assert found == (None if transaction is None else SessionSettled(ANCHOR.identity, transaction, 7))
