"""What the operator of a data chain asks and orders: states of chunks in pages, reading again, repair, pruning."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import msgspec
import trio
from quart import request

from lucid.api.answers import Checked, ChunkList, ChunkState, DataStatus, Pruned, ScrubStatus, SessionCopies
from lucid.api.requests import PruneOrder, ScrubOrder
from lucid.chain.errors import Code
from lucid.chain.transactions import SESSION_ID_BYTES
from lucid.services.chunks.chaincopies import ChainCopies
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.replication import Replication
from lucid.services.chunks.scrub import MAX_PAUSE_MS, Scrub
from lucid.services.chunks.storedlists import StoredLists
from lucid.services.chunks.sweeper import KEPT_MS
from lucid.services.chunks.upkeep import Upkeep
from lucid.services.process.driver import clock_ms
from lucid.services.web.admission import OPERATOR, WRITE
from lucid.services.web.lasting import Lasting
from lucid.services.web.problems import Problem
from lucid.services.web.requested import (
    OWNED,
    hex_bytes,
    number_query,
    query_number,
    query_owner,
    query_session,
    session_id,
)
from lucid.services.web.route import Query
from lucid.services.web.web import Web
from lucid.storage.chunkrow import CHUNK_TABLE, decode_row
from lucid.storage.durable import DurableStore
from lucid.storage.findings import Finding

T = TypeVar("T")

DAY_MS = 86_400_000
PAGE_CHUNKS = 1_000
REPAIR_S = 25.0
"""How long other nodes may take to give a chunk back, and a disk to read one: less than a client's patience."""
PENDING = "pending"
STATUSES = (PENDING, "stored", "verified", "replicated", "missing", "corrupted")
SOUND = "verified"
PAGE = {
    "status": Query({"type": "string", "enum": list(STATUSES)}),
    "session": Query({"type": "string", "format": "uuid"}),
    **OWNED,
    "after": Query({"type": "string", "pattern": "^[0-9a-f]{64}$"}),
    "limit": number_query(1, PAGE_CHUNKS),
}


class UpkeepRoutes:
    """The routes of what looks after chunks."""

    def __init__(
        self,
        *,
        upkeep: Upkeep,
        chunks: Chunks,
        store: DurableStore,
        scrub: Scrub,
        replication: Replication,
        copies: ChainCopies,
        lasting: Lasting,
    ) -> None:
        self._upkeep = upkeep
        self._chunks = chunks
        self._store = store
        self._scrub = scrub
        self._replication = replication
        self._copies = copies
        self._lasting = lasting
        self._lists = StoredLists(store)

    def register(self, web: Web) -> None:
        """Add them to a service."""
        route = web.route

        @route("GET", "/status", "What is held here, and how it is looked after", gives=DataStatus)
        async def status() -> DataStatus:
            return self._upkeep.status()

        @route(
            "GET",
            "/sessions/<session>/copies",
            "How the chunks of a session are held",
            query=OWNED,
            gives=SessionCopies,
            access=WRITE,
        )
        async def copies(session: str) -> SessionCopies:
            name = session_id(session) + query_owner()
            await self._chunks.index.level()
            found = await self._store.read(self._session_copies, name)
            if found is None:
                raise Problem(Code.NOT_FOUND, "chunk here that this session refers to")
            return msgspec.structs.replace(found, on_chain=await self._copies.fewest(name))

        @route("GET", "/chunks", "Chunks and their states", query=PAGE, gives=ChunkList, access=OPERATOR)
        async def chunks() -> ChunkList:
            wanted = request.args.get("status", "")
            if wanted and wanted not in STATUSES:
                raise Problem(Code.REQUEST, f"status must be one of {', '.join(STATUSES)}")
            after = hex_bytes(request.args["after"], 32, "after") if "after" in request.args else b""
            limit = query_number("limit", 100, 1, PAGE_CHUNKS)
            if "owner" in request.args and "session" not in request.args:
                raise Problem(Code.REQUEST, "owner says whose session it is: name that too")
            session = query_session() if "session" in request.args else b""
            return await self._store.read(self._page, wanted, session, after, limit)

        self._mending_routes(web)

    def _mending_routes(self, web: Web) -> None:
        route = web.route

        @route("POST", "/scrub", "Read chunks now, or not", takes=ScrubOrder, gives=ScrubStatus, access=OPERATOR)
        async def scrub(body: ScrubOrder) -> ScrubStatus:
            for name, value, most in (
                ("max_duration_ms", body.max_duration_ms, MAX_PAUSE_MS),
                ("max_age_ms", body.max_age_ms, 2**53),
            ):
                if not 0 <= value <= most:
                    raise Problem(Code.REQUEST, f"{name} must be within 0..{most}")
            if body.action == "start":
                change = partial(self._scrub.start, body.max_duration_ms, body.max_age_ms)
            else:
                change = partial(self._scrub.pause, body.max_duration_ms or DAY_MS)
            await self._carry_out(change)
            return self._scrub.status()

        @route("POST", "/chunks/<chunk>/verify", "Read a chunk from its disk now", gives=Checked, access=OPERATOR)
        async def verify(chunk: str) -> Checked:
            return await self._checked(chunk)

        @route(
            "POST",
            "/chunks/<chunk>/repair",
            "Read a chunk now, and fetch it from another node where it is not sound",
            gives=Checked,
            access=OPERATOR,
        )
        async def repair(chunk: str) -> Checked:
            checked = await self._checked(chunk)
            if checked.status != SOUND and self._replication.connected:
                with trio.move_on_after(REPAIR_S):
                    if await self._replication.obtain(bytes.fromhex(chunk)):
                        return Checked(chunk, SOUND)
            return checked

        @route("POST", "/prune", "Remove what nobody refers to", takes=PruneOrder, gives=Pruned, access=OPERATOR)
        async def prune(body: PruneOrder) -> Pruned:
            now = clock_ms()
            found = await self._store.read(self._unused, now)
            return found if body.dry_run else msgspec.structs.replace(found, removed=await self._swept(now))

    async def _carry_out(self, work: Callable[[], Awaitable[T]]) -> T:
        """What waits for its store as a task in the background does; who asks for it waits for no store that is away.
        Raises `StoreError` and `Problem`."""
        if self._store.trouble is not None:
            raise self._store.trouble
        return await self._lasting.carry_out(work, REPAIR_S)

    async def _swept(self, now_ms: int) -> int:
        """How many chunks went. Raises `Problem` where the disk takes none away."""
        try:
            return await self._carry_out(partial(self._chunks.sweeper.sweep, now_ms))
        except OSError as error:
            raise Problem(Code.STORE_FAILED, f"chunks cannot be removed: {error.strerror}") from None

    async def _checked(self, chunk: str) -> Checked:
        identity = hex_bytes(chunk, 32, "chunk")
        try:
            found = await self._carry_out(partial(self._chunks.inspection.check, identity))
        except OSError as error:
            raise Problem(Code.STORE_FAILED, f"it cannot be read: {error.strerror}") from None
        if found is None:
            raise Problem(Code.NOT_FOUND, "chunk")
        return Checked(chunk, SOUND if found[0] is Finding.SOUND else found[0].name.lower())

    def _unused(self, now_ms: int) -> Pruned:
        """The chunks that nobody refers to, as they would go now, from a worker thread."""
        due, waiting, sizes = 0, 0, [0, 0]
        next_ms = 0
        for _, row in self._chunks.rows.unused():
            until_ms = row.unused_since_ms + KEPT_MS
            if until_ms <= now_ms:
                due, sizes[0] = due + 1, sizes[0] + row.size
            else:
                waiting, sizes[1] = waiting + 1, sizes[1] + row.size
                next_ms = min(next_ms or until_ms, until_ms)
        return Pruned(due, sizes[0], 0, waiting, sizes[1], next_ms)

    def _page(self, wanted: str, session: bytes, after: bytes, limit: int) -> ChunkList:
        """Up to `limit` chunks are looked at; of these, those with the state and session that are wanted."""
        found, last = [], b""
        if wanted == PENDING:
            return self._pending_page(session, after, limit)
        if wanted in ("missing", "corrupted"):
            rows = [(chunk, self._chunks.rows.row(chunk)) for chunk, _ in self._chunks.faults.page(after, limit)]
        else:
            start = after + b"\x00" if after else b""
            scanned = self._store.scan(CHUNK_TABLE, start, limit)
            rows = [(chunk, decode_row(chunk, data)) for chunk, data in scanned]
        for chunk, row in rows:
            last = chunk
            references = self._chunks.rows.references(chunk)
            if row is None or (session and not any(each[: len(session)] == session for each in references)):
                continue
            status = self._upkeep.census.status(chunk)
            if not wanted or status == wanted:
                found.append(ChunkState(chunk.hex(), row.size, status, len(references)))
        return ChunkList(tuple(found), last.hex() if len(rows) == limit else None)

    def _pending_page(self, session: bytes, after: bytes, limit: int) -> ChunkList:
        """Of chunks that are on their way neither the size is known yet nor who refers to them, but for their lists."""
        named = {chunk for each in self._listed(session) for chunk in self._lists.ids(each)} if session else None
        wanted = [chunk for chunk in self._replication.pending() if chunk > after and (named is None or chunk in named)]
        page = tuple(ChunkState(chunk.hex(), 0, PENDING, 0) for chunk in wanted[:limit])
        return ChunkList(page, page[-1].id if len(wanted) > limit else None)

    def _listed(self, session: bytes) -> list[bytes]:
        """The sessions of that id, or id and owner, whose lists may be here."""
        return [session] if session[SESSION_ID_BYTES:] else self._lists.owners(session)

    def _session_copies(self, session: bytes) -> SessionCopies | None:
        """Of the session whose id, or id and owner, this is."""
        counts = dict.fromkeys(STATUSES, 0)
        index = self._chunks.index
        for each in [session] if session[SESSION_ID_BYTES:] else index.owners(session):
            for chunk in index.chunks(each):
                counts[self._upkeep.census.status(chunk)] += 1
        for each in self._listed(session):
            counts[PENDING] += sum(
                self._chunks.rows.row(chunk) is None and self._replication.belongs(chunk)
                for chunk in {*self._lists.ids(each)}
            )
        if not any(counts.values()):
            return None
        copies = self._replication.copies_wanted
        return SessionCopies(
            str(uuid.UUID(bytes=session[:SESSION_ID_BYTES])), session[SESSION_ID_BYTES:].hex(), copies, **counts
        )
