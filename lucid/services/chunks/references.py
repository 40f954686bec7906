"""Which sessions refer to the chunks of a node: listed, removed by id, and freed when nothing will ever anchor them.

A recording that nobody ended leaves references. Such a session is dead when it is old, and neither the chain nor this
node's session anchoring knows it; whatever cannot be asked about, or could still be anchored, is kept.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec
import trio

from lucid.chain.errors import Code, LucidError
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.sessionreference import Reference, decode_reference
from lucid.services.process.driver import clock_ms
from lucid.services.process.sibling import Sibling
from lucid.services.web.problems import Problem
from lucid.storage.chunkfiles import REFERENCE_TABLE
from lucid.storage.durable import DurableStore

ID_BYTES = 16
CHUNK_BYTES = 32
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
    """The sessions that refer to chunks. What reads the whole table runs in worker threads."""

    def __init__(self, store: DurableStore, chunks: Chunks) -> None:
        self._store = store
        self._chunks = chunks

    async def page(self, after: bytes, limit: int) -> list[Held]:
        """At most `limit` sessions in order, from the first after `after` on. Raises `StoreError`."""
        return await self._store.read(self._page, after, limit)

    def _page(self, after: bytes, limit: int) -> list[Held]:
        found: dict[bytes, Held] = {}
        edge: bytes | None = None
        for key, value in self._store.scan(REFERENCE_TABLE):
            chunk, session = key[:CHUNK_BYTES], key[CHUNK_BYTES:]
            if session <= after or (edge is not None and session > edge):
                continue
            held = found.get(session, Held(session, 0, 0, 0))
            row, reference = self._chunks.rows.row(chunk), decode_reference(chunk, value)
            found[session] = Held(
                session,
                held.chunks + 1,
                held.total_bytes + (0 if row is None else row.size),
                max(held.since_ms, reference.since_ms),
            )
            if len(found) > 2 * limit:
                # Only the first are wanted: memory does not grow with the sessions that there are.
                kept = sorted(found)[:limit]
                found = {each: found[each] for each in kept}
                edge = kept[-1]
        return [found[session] for session in sorted(found)[:limit]]

    async def owners(self, session: bytes) -> list[bytes]:
        """The sessions, with their owners, that refer to chunks under an id."""

        def named() -> list[bytes]:
            keys = (key[CHUNK_BYTES:] for key, _ in self._store.scan(REFERENCE_TABLE))
            return sorted({key for key in keys if key[:ID_BYTES] == session})

        return await self._store.read(named)

    async def remove(self, session: bytes, may: Callable[[Reference], bool] = lambda reference: True) -> int:
        """Take all references of a session away, but for those that the caller may not; returns how many went."""

        def of_it() -> list[tuple[bytes, bytes]]:
            found = self._store.scan(REFERENCE_TABLE)
            return [(key[:CHUNK_BYTES], value) for key, value in found if key[CHUNK_BYTES:] == session]

        gone = 0
        for chunk, value in await self._store.read(of_it):
            if may(decode_reference(chunk, value)) and await self._chunks.release(chunk, session) is not None:
                gone += 1
        return gone


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
                # What an older version stored has no time: it is as old as this service's start.
                if (held.since_ms or self._began_ms) <= now_ms - DEAD_MS and not await self._known(held.session):
                    count = await self._references.remove(held.session)
                    gone += count
                    name = uuid.UUID(bytes=held.session[:ID_BYTES])
                    _log.warning("session %s was never anchored: its %d chunks are freed", name, count)
        self.freed += gone
        return gone


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
