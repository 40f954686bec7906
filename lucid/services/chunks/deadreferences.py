"""References of sessions that nothing will ever anchor: they go, and the chunks that they kept are freed.

A recording that nobody ended leaves references. Such a session is dead when it is old, and neither the chain nor this
node's session anchoring knows it; whatever cannot be asked about, or could still be anchored, is kept.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable

import trio

from lucid.chain.errors import LucidError
from lucid.chain.transactions import SESSION_ID_BYTES
from lucid.services.chunks.sessionreferences import SessionReferences
from lucid.services.process.driver import clock_ms

DEAD_MS = 7 * 24 * 3_600_000
"""Age from which a session that nobody knows is dead: longer than anybody leaves a recording to go on with later."""
FIRST_LOOK_S = 3_600.0
LOOK_S = 6 * 3_600.0

_log = logging.getLogger("lucid.references")


class DeadReferences:
    """Finds sessions that nothing will ever anchor, and frees their chunks."""

    def __init__(self, references: SessionReferences, known: Callable[[bytes], Awaitable[bool]]) -> None:
        """`known` says whether a session is known, or might be. It raises `Problem` where nobody can say."""
        self._references = references
        self._known = known
        self._began_ms = clock_ms()
        self.freed = 0

    async def run(self) -> None:
        """Look now and then, forever."""
        await trio.sleep(FIRST_LOOK_S)
        while True:
            try:
                await self.look(clock_ms())
            except LucidError as error:
                _log.info("dead references are looked for later: %s", error)
            await trio.sleep(LOOK_S)

    async def look(self, now_ms: int) -> int:
        """Free what is dead; returns how many references went. Raises `Problem` and `StoreError`."""
        gone, after = 0, b""
        while page := await self._references.page(after, 256):
            after = page[-1].session
            for held in page:
                if not self._old(held.since_ms, now_ms) or await self._known(held.session):
                    continue
                # Once more: its recording may have gone on while others were asked.
                if self._old(await self._references.since_ms(held.session), now_ms):
                    count = await self._references.remove(held.session)
                    gone += count
                    name = uuid.UUID(bytes=held.session[:SESSION_ID_BYTES])
                    _log.warning("session %s was never anchored: its %d chunks are freed", name, count)
        self.freed += gone
        return gone

    def _old(self, since_ms: int, now_ms: int) -> bool:
        # What an older version stored has no time: it is as old as this service's start.
        return (since_ms or self._began_ms) <= now_ms - DEAD_MS
