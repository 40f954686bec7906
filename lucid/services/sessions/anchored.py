"""The sessions that the chain holds, as the node's manager tells it."""

from __future__ import annotations

from contextlib import suppress

import msgspec
from msgspec.structs import replace

from lucid.api.answers import SessionState
from lucid.chain.transactions import SessionAnchor, Transaction
from lucid.chain.versions import HOLDING_RULES
from lucid.machines.effects import BlockSettled, SessionSettled
from lucid.services.chain.chainview import FinalBlock
from lucid.services.chain.sessionsview import HeldSession
from lucid.services.process.sibling import Sibling
from lucid.services.web.problems import Problem

WAIT_MS = 20_000
"""How long the manager holds back its answer while there is no new block."""


class AnchoredSessions:
    """What a manager says of sessions. Each question raises `Problem` (503) where it cannot be asked."""

    def __init__(self, manager: Sibling) -> None:
        self._manager = manager

    async def find(self, session: bytes, owner: bytes) -> list[HeldSession]:
        """How the chain holds the sessions of an id, or one owner's if `owner` is not empty."""
        mine = f"?owner={owner.hex()}" if owner else ""
        found = await self._manager.get(f"/node/sessions/{session.hex()}{mine}")
        with self._manager.understood():
            return [] if found is None else msgspec.convert(found["sessions"], list[HeldSession])

    async def settled(self, anchor: SessionAnchor) -> SessionSettled | None:
        """How the chain holds an anchor's session, if it does."""
        found = await self.find(anchor.session, anchor.owner)
        if not found:
            return None
        held = found[0]
        if held.transaction is not None:
            return SessionSettled(anchor.identity, bytes.fromhex(held.transaction), held.height)
        # Its block is older than those of a manager that began with a snapshot; what was anchored tells.
        if held.root != anchor.root.hex():
            return None
        return SessionSettled(anchor.identity, Transaction(anchor, b"", 0, b"").id, held.height)

    async def finals(self, after: int) -> tuple[list[BlockSettled], int]:
        """Final blocks above a height, and how far the manager knows them; waits for the next one if there is none."""
        found = await self._manager.get(f"/node/final?after={after}&wait_ms={WAIT_MS}", WAIT_MS / 1000 + 5)
        if found is None:
            return [], after
        with self._manager.understood():
            blocks = [
                BlockSettled(each.height, tuple(bytes.fromhex(one) for one in each.transactions))
                for each in msgspec.convert(found["blocks"], list[FinalBlock])
            ]
            return blocks, int(found["height"])

    async def with_inclusion(self, state: SessionState) -> SessionState:
        """A session that waits; `included` if a block holds it that is not final yet, and the manager is there."""
        try:
            found = await self._manager.get(f"/node/transactions/{state.transaction}")
        except Problem:
            return state
        return state if found is None else replace(state, status="included", height=found["height"])

    async def with_copies(self, session: bytes, state: SessionState) -> SessionState:
        """The same with the copies that the chain knows of, if its rules have such a thing and the manager is there."""
        with suppress(Problem, msgspec.ValidationError):
            status, answer = await self._manager.ask("POST", "/node/replicas", {"sessions": [session.hex()]})
            found = answer["sessions"][0] if status == 200 else None
            if found is not None and found["rules"] >= HOLDING_RULES:
                return replace(state, copies=found["copies"], copies_wanted=found["wanted"])
        return state

    async def receipt(self, transaction: str, checkpoint: bytes | None) -> tuple[int, bytes]:
        """Status and body of a receipt, up to the block of that hash if one is given."""
        reach = "" if checkpoint is None else f"?checkpoint={checkpoint.hex()}"
        return await self._manager.fetch(f"/receipts/{transaction}{reach}")
