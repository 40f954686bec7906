"""Hands anchors to the node's engine and the answer to the machine, each once. Trying again is the machine's."""

from __future__ import annotations

import trio

from lucid.api.errors import read_code
from lucid.chain.codec import encode
from lucid.chain.errors import Code
from lucid.chain.transactions import SessionAnchor
from lucid.machines.anchoring import MAX_HANDED
from lucid.machines.effects import AnchorAnswered, SessionSettled, Submit
from lucid.services.process.driver import Driver
from lucid.services.process.sibling import Sibling
from lucid.services.sessions.anchored import AnchoredSessions
from lucid.services.web.problems import Problem

SUBMITTERS = 8
"""Anchors on their way to the engine at once."""
JUDGED = (400, 409)
"""Statuses with which the engine refuses an anchor for what it is."""


class Submitter:
    """Performs `Submit`. Every one gets an answer: `UNAVAILABLE` where engine or manager could not be asked."""

    def __init__(self, engine: Sibling, anchored: AnchoredSessions) -> None:
        self._engine = engine
        self._anchored = anchored
        # The machine hands in no more than this at once: what is sent finds room.
        self._submits, self._submitting = trio.open_memory_channel[Submit](MAX_HANDED)

    def submit(self, effect: Submit) -> None:
        """Take an anchor that is to be handed in."""
        self._submits.send_nowait(effect)

    async def run(self, driver: Driver) -> None:
        """Hand in what is taken, several at once, forever."""
        async with trio.open_nursery() as nursery:
            for _ in range(SUBMITTERS):
                nursery.start_soon(self._hand_in, driver)

    async def _hand_in(self, driver: Driver) -> None:
        async for effect in self._submitting:
            await driver.deliver(await self.outcome(effect))

    async def outcome(self, effect: Submit) -> AnchorAnswered | SessionSettled:
        """What becomes of an anchor that is handed in."""
        try:
            if effect.again and (settled := await self._anchored.settled(effect.anchor)) is not None:
                return settled
            return AnchorAnswered(effect.anchor.identity, await self._ask(effect.anchor))
        except Problem:
            return AnchorAnswered(effect.anchor.identity, Code.UNAVAILABLE)

    async def _ask(self, anchor: SessionAnchor) -> Code | None:
        """Hand an anchor to the engine; returns its refusal. Raises `Problem` when it cannot be asked."""
        status, answer = await self._engine.ask("POST", "/transactions", {"payload": encode(anchor).hex()})
        if status == 202:
            return None
        try:
            code = read_code(answer["error"]["code"])
        except (ValueError, KeyError, TypeError):
            return Code.UNAVAILABLE
        return code if status in JUDGED or code is Code.MEMPOOL_FULL else Code.UNAVAILABLE
