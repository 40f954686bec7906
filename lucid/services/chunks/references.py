"""Which sessions refer to the chunks of a node: listed, removed by id, and freed when nothing will ever anchor them.

A recording that nobody ended leaves references. Such a session is dead when it is old, and neither the chain nor this
node's session anchoring knows it; whatever cannot be asked about, or could still be anchored, is kept.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

import msgspec
import trio

from lucid.chain.errors import Code, LucidError
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.sessionindex import ID_BYTES, PAGE
from lucid.services.chunks.sessionreference import NotHeld, Reference
from lucid.services.process.driver import clock_ms
from lucid.services.process.sibling import Sibling
from lucid.services.web.problems import Problem
from lucid.storage.durable import DurableStore

DEAD_MS = 7 * 24 * 3_600_000
"""Age from which a session that nobody knows is dead: longer than anybody leaves a recording to go on with later."""
FIRST_LOOK_S = 3_600.0
LOOK_S = 6 * 3_600.0

_log = logging.getLogger("lucid.references")


class Held(NamedTuple):
    """A session (id, and owner or nothing) that refers to chunks: how many, of how many bytes, and the time of its
    newest reference (ms since the Unix epoch, 0 where an older version stored it)."""

    session: bytes
    chunks: int
    total_bytes: int
    since_ms: int


class SessionReferences:
    """The sessions that refer to chunks. What is asked reads the rows of these sessions alone."""

    def __init__(self, store: DurableStore, chunks: Chunks) -> None:
        self._store = store
        self._chunks = chunks
        self._index = chunks.index

    async def page(self, after: bytes, limit: int) -> list[Held]:
        """At most `limit` sessions in order, from the first after `after` on. Raises `StoreError`."""
        await self._index.level()
        found = await self._store.read(self._index.page, after, limit)
        return [Held(session, held.chunks, held.total_bytes, held.since_ms) for session, held in found]

    async def since_ms(self, session: bytes) -> int:
        """When a session's newest reference was made (ms since the Unix epoch). Raises `StoreError`."""
        return (await self._store.read(self._index.sums, session)).since_ms

    async def owners(self, session: bytes) -> list[bytes]:
        """The sessions, with their owners, that refer to chunks under an id. Raises `StoreError`."""
        await self._index.level()
        return await self._store.read(self._index.owners, session)

    async def remove(self, session: bytes, may: Callable[[Reference], bool] = lambda reference: True) -> int:
        """Take all references of a session away, but for those that the caller may not; returns how many went. Raises
        `StoreError`."""
        await self._index.level()
        gone, after = 0, b""
        while chunks := await self._store.read(self._some, session, after):
            for chunk in chunks:
                with suppress(NotHeld):
                    gone += await self._chunks.release(chunk, session, may) is not None
            after = chunks[-1]
        return gone

    def _some(self, session: bytes, after: bytes) -> list[bytes]:
        return list(islice(self._index.chunks(session, after), PAGE))


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
                    name = uuid.UUID(bytes=held.session[:ID_BYTES])
                    _log.warning("session %s was never anchored: its %d chunks are freed", name, count)
        self.freed += gone
        return gone

    def _old(self, since_ms: int, now_ms: int) -> bool:
        # What an older version stored has no time: it is as old as this service's start.
        return (since_ms or self._began_ms) <= now_ms - DEAD_MS


class Asked:
    """Whether the chain or this node's session anchoring knows a session."""

    def __init__(self, manager: Sibling, anchoring: Sibling) -> None:
        self._manager = manager
        self._anchoring = anchoring

    async def known(self, session: bytes) -> bool:
        """False only where both say that they do not, and the manager is level with the chain. Raises `Problem`."""
        name, owner = session[:ID_BYTES], session[ID_BYTES:].hex()
        status, _ = await self._manager.fetch("/health")
        if status != 200:
            raise Problem(Code.UNAVAILABLE, "the block manager is not healthy")
        query = f"?owner={owner}" if owner else ""
        if await self._manager.get(f"/node/sessions/{name.hex()}{query}") is not None:
            return True
        status, data = await self._anchoring.fetch(f"/sessions/{uuid.UUID(bytes=name)}{query}")
        return not (status == 404 and _code(data) == Code.SESSION_UNKNOWN.code)


def _code(data: bytes) -> str:
    try:
        return str(msgspec.json.decode(data)["error"]["code"])
    except (msgspec.MsgspecError, UnicodeDecodeError, LookupError, TypeError):
        return ""
