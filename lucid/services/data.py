"""The data chain's service (port 8087): stores and returns encrypted chunks. Run it with `python -m`."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import trio
from quart import Response, request

from lucid.api.answers import Removed, SessionChunks, Sessions
from lucid.api.services import DATA
from lucid.chain.chunks import MAX_CHUNK_BYTES, segment_count
from lucid.chain.errors import Code, Refusal
from lucid.chain.releases import MAX_AHEAD_MS, release_message
from lucid.machines.replicamessages import MAX_BYTES, decode_replica
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.holdings import Holdings, SessionMessage
from lucid.services.chunks.proving import Proving
from lucid.services.chunks.reading import ELSEWHERE_S, Reading
from lucid.services.chunks.references import ID_BYTES, Asked, DeadReferences, SessionReferences
from lucid.services.chunks.replication import Replication
from lucid.services.chunks.scrub import Pace, Scrub
from lucid.services.chunks.sessionreference import NotHeld, Reference
from lucid.services.chunks.storedchunk import ChunkDamaged
from lucid.services.chunks.upkeep import Upkeep
from lucid.services.process.config import Config
from lucid.services.process.driver import clock_ms
from lucid.services.process.service import Service, main
from lucid.services.process.sibling import Sibling
from lucid.services.process.space import NoRoom, Space
from lucid.services.web.admission import NODE, WRITE
from lucid.services.web.lasting import Lasting
from lucid.services.web.openapi import Query
from lucid.services.web.problems import Problem
from lucid.services.web.requested import (
    OWNED,
    charge,
    exchange,
    hex_bytes,
    number_query,
    query_number,
    query_owner,
    read_body,
)
from lucid.services.web.web import Condition, json_response
from lucid.storage.chunkfiles import ChunkFolder

BODY_S = 120.0
"""How long a chunk may take to arrive."""
CACHED_BYTES = 256 << 10
"""Chunks up to this size are answered from memory; larger ones part by part from their files."""
IMMUTABLE = "public, max-age=31536000, immutable"
SESSION = {"session": Query({"type": "string", "format": "uuid"}, required=True), **OWNED}
PAGE_SESSIONS = 1_000
PAGE = {
    "after": Query({"type": "string", "pattern": "^([0-9a-f]{32}|[0-9a-f]{96})$"}),
    "limit": number_query(1, PAGE_SESSIONS),
}
RELEASE = {
    "until_ms": number_query(0, 2**53),
    "signature": Query({"type": "string", "pattern": "^[0-9a-f]{128}$"}),
}
SEGMENT = {"segment": number_query(0, segment_count(MAX_CHUNK_BYTES) - 1)}


class Stored(msgspec.Struct, frozen=True):
    """A chunk that is durable here; `new` is False for one that was there already."""

    id: str
    size: int
    new: bool


class Released(msgspec.Struct, frozen=True):
    """A session does not refer to a chunk any more; `references` still do."""

    id: str
    references: int


class SegmentProof(msgspec.Struct, frozen=True):
    """A segment's bytes and its path to the chunk's id, in hexadecimal."""

    id: str
    size: int
    segment: int
    segments: int
    data: str
    path: tuple[str, ...]


class DataService(Service):
    """The data chain: stores and returns encrypted chunks."""

    listed = DATA
    keeps_reserve = True

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.space = Space(config.data_dir, self.ballast, config.chunk_quota_bytes, config.disk_reserve_bytes)
        try:
            self.chunks = Chunks(self._folder, self.store, self.space)
        except BaseException:
            self.close()
            raise
        self.references = SessionReferences(self.store, self.chunks)
        self.web.checks += [self.space.condition, self._quarantine]
        gauge = self.web.gauge
        gauge("chunks_damaged", "Reads of damaged chunks since the start.", lambda: self.chunks.reader.damaged)
        gauge("chunks_quarantined", "Files set aside that were not what their names said.", self._quarantined)
        gauge("chunk_bytes", "Bytes of the chunks that are held.", lambda: self.space.used)
        gauge("chunk_room_bytes", "Bytes that chunks may still take.", lambda: self.space.room)
        gauge("disk_free_bytes", "Bytes free on the disk.", lambda: self.space.free)
        gauge("disk_reserve_bytes", "Bytes of it that chunks leave free.", lambda: self.space.reserve)
        pace = Pace(config.scrub_period_s * 1_000, config.scrub_tranquility)
        self.scrub = Scrub(self.chunks, self.store, pace)
        self._manager = Sibling("manager", config.manager_url, config)
        rate = config.replication_bytes_per_s
        self.replication = Replication(self.key, self.chunks, self.store, self._manager, rate)
        self._engine = Sibling("engine", config.engine_url, config)
        self._anchoring = Sibling("anchoring", config.anchoring_url, config)
        self.holdings = Holdings(
            around=self.replication,
            store=self.store,
            manager=self._manager,
            engine=self._engine,
            anchoring=self._anchoring,
            send=self.replication.send,
        )
        self.proving = Proving(
            around=self.replication,
            chunks=self.chunks,
            listings=self.holdings.listings,
            store=self.store,
            manager=self._manager,
            engine=self._engine,
        )
        gauge("storage_proofs", "Storage proofs handed in since the start.", lambda: self.proving.proven)
        self.reading = Reading(self.chunks, self.replication)
        self._lasting = Lasting(self.store)
        bound_s = config.replication_bound_s
        self.upkeep = Upkeep(self.chunks, self.store, self.space, self.scrub, self.replication, self.holdings, bound_s)
        self.upkeep.register(self.web)
        self._register()

    @property
    def _folder(self) -> Path:
        return self.config.data_dir / "chunks"

    def may_begin_anew(self, used: bool) -> bool:
        """See `Service`. An empty store would know none of the chunks that are there."""
        return next(ChunkFolder(self._folder).chunks(), None) is None

    def _quarantined(self) -> int:
        return self.chunks.inventory.quarantined

    def _quarantine(self) -> Condition | None:
        count = self.chunks.inventory.quarantined
        if not count:
            return None
        return Condition(
            "quarantine",
            f"{count} files in the chunk folder did not have the bytes of their names and are set aside",
            "look at them in the folder quarantine beside the chunks, and remove them",
        )

    async def work(self, task_status: trio.TaskStatus[None]) -> None:
        """See `Service`."""
        async with self._manager, self._engine, self._anchoring, trio.open_nursery() as nursery:
            await nursery.start(self._lasting.run)
            nursery.start_soon(self.replication.run)
            nursery.start_soon(self.holdings.run)
            nursery.start_soon(self.proving.run)
            nursery.start_soon(self.space.run)
            nursery.start_soon(self.chunks.run)
            nursery.start_soon(self.chunks.adoption.watch_quarantine)
            nursery.start_soon(self._free_dead)
            nursery.start_soon(self.scrub.run)
            nursery.start_soon(self.upkeep.census.run)
            task_status.started()

    async def _free_dead(self) -> None:
        await DeadReferences(self.references, Asked(self._manager, self._anchoring).known).run()

    def _register(self) -> None:
        self._register_storing()
        self._register_reading()
        self._register_sessions()

    def _register_storing(self) -> None:
        """Chunks that come, and references that go."""
        route = self.web.route

        @route("POST", "/store-data", "Store a chunk", raw=bytes, query=SESSION, gives=Stored, status=201, access=WRITE)
        async def store() -> Stored:
            return await self._store(None)

        @route(
            "PUT",
            "/chunks/<chunk>",
            "Store a chunk whose id is known",
            raw=bytes,
            query=SESSION,
            gives=Stored,
            status=201,
            access=WRITE,
        )
        async def put(chunk: str) -> Stored:
            return await self._store(hex_bytes(chunk, 32, "chunk"))

        @route(
            "DELETE", "/chunks/<chunk>", "Take a session's reference away", query=SESSION, gives=Released, access=WRITE
        )
        async def delete(chunk: str) -> Released:
            identity = hex_bytes(chunk, 32, "chunk")
            release = partial(self.chunks.release, identity, _session(), self._may())
            try:
                left = await self._lasting.carry_out(release)
            except NotHeld as error:
                raise Problem(error.code, error.detail, status=403) from None
            if left is None:
                raise Problem(Code.NOT_FOUND, "reference of this session to this chunk")
            return Released(chunk, left)

    def _register_reading(self) -> None:
        """Chunks, whole and in parts."""
        route = self.web.route

        # Before GET, which would answer HEAD too.
        @route("HEAD", "/chunks/<chunk>", "A chunk's size, once its bytes are verified")
        async def head(chunk: str) -> Response:
            try:
                stored = await self.chunks.reader.open(hex_bytes(chunk, 32, "chunk"))
            except ChunkDamaged:
                stored = None  # who has it is to store it again
            if stored is None:
                raise Problem(Code.NOT_FOUND, "chunk")
            return _ranged(stored.size, partial(self.chunks.reader.parts, stored), chunk)

        @route("GET", "/chunks/<chunk>", "A chunk's bytes, or a range of them", gives=bytes)
        async def get(chunk: str) -> Response:
            return await self._get(chunk)

        @route(
            "GET",
            "/chunks/<chunk>/proof",
            "A segment and its path to the chunk's id",
            query=SEGMENT,
            gives=SegmentProof,
        )
        async def proof(chunk: str) -> SegmentProof:
            found = await self.chunks.reader.proof(
                hex_bytes(chunk, 32, "chunk"),
                lambda size: query_number("segment", 0, 0, segment_count(size) - 1),
            )
            if found is None:
                raise Problem(Code.NOT_FOUND, "chunk")
            path = tuple(node.hex() for node in found.path)
            return SegmentProof(chunk, found.size, found.number, segment_count(found.size), found.data.hex(), path)

    def _register_sessions(self) -> None:
        """The sessions that refer to chunks, and what other nodes' data chains say."""
        route = self.web.route

        @route("GET", "/sessions", "Sessions that refer to chunks here", query=PAGE, gives=Sessions, access=WRITE)
        async def sessions() -> Sessions:
            after = request.args.get("after", "")
            limit = query_number("limit", 100, 1, PAGE_SESSIONS)
            page = await self.references.page(_identity(after) if after else b"", limit)
            listed = tuple(
                SessionChunks(
                    str(uuid.UUID(bytes=each.session[:ID_BYTES])),
                    each.session[ID_BYTES:].hex(),
                    each.chunks,
                    each.total_bytes,
                    each.since_ms,
                )
                for each in page
            )
            return Sessions(listed, page[-1].session.hex() if len(page) == limit else None)

        @route(
            "DELETE",
            "/sessions/<session>",
            "Take all references of a session away",
            query={**OWNED, **RELEASE},
            gives=Removed,
            access=WRITE,
        )
        async def remove(session: str) -> Removed:
            released = "signature" in request.args
            if released:
                self._check_release(session)
            named = await self._named(session)
            may = self._may() if not released else lambda reference: True
            count = await self._lasting.carry_out(partial(self.references.remove, named, may))
            if not count:
                raise Problem(Code.NOT_YOURS, "this session was stored under another token")
            return Removed(str(uuid.UUID(bytes=named[:ID_BYTES])), named[ID_BYTES:].hex(), count)

        @route("POST", "/node/replica-messages/<node>", "What a peer's data chain says", raw=bytes, access=NODE)
        async def said(node: str) -> Response:
            peer = hex_bytes(node, 32, "node")
            message = decode_replica(await read_body(MAX_BYTES))
            if isinstance(message, SessionMessage):
                await self.holdings.handle(peer, message)
            else:
                await self.replication.handle(peer, message)
            return json_response({}, 202)

    def _check_release(self, session: str) -> None:
        """Whether the owner of a session signed that it may go. Raises `Problem`."""
        owner, signature = query_owner(), hex_bytes(request.args["signature"], 64, "signature")
        until_ms, now = query_number("until_ms", 0, 0, 2**53), clock_ms()
        try:
            message = release_message(self.genesis.chain_id, uuid.UUID(session).bytes, owner, until_ms)
        except ValueError:
            raise Problem(Code.REQUEST, "session must be a UUID") from None
        if not now <= until_ms <= now + MAX_AHEAD_MS:
            raise Problem(Code.MANIFEST_SIGNATURE, "until_ms must lie ahead, a day at most", status=403)
        if not owner or not self.crypto.verify(owner, message, signature):
            raise Problem(Code.MANIFEST_SIGNATURE, "it must be the owner's, over this session and until_ms", status=403)

    def _may(self) -> Callable[[Reference], bool]:
        """What the caller may remove: with a token what it stored; the node, the operator, and who needs none, all."""
        caller = self.web.caller()
        if caller.trusted or not caller.holder:
            return lambda reference: True
        return lambda reference: reference.holder == caller.holder

    async def _named(self, text: str) -> bytes:
        """The session that a path and `owner` name, which refers to chunks here. Raises `Problem`."""
        try:
            session = uuid.UUID(text).bytes
        except ValueError:
            raise Problem(Code.REQUEST, "session must be a UUID") from None
        held = await self.references.owners(session)
        if "owner" in request.args:
            held = [each for each in held if each == session + query_owner()]
        if not held:
            raise Problem(Code.NOT_FOUND, "chunk here that this session refers to")
        if len(held) > 1:
            owners = [each[ID_BYTES:].hex() for each in held]
            raise Problem(Code.SESSION_OWNERS, "?owner=KEY, empty for that of none", {"owners": owners})
        return held[0]

    async def _store(self, expected: bytes | None) -> Stored:
        session = _session()
        self.check_store()
        announced = min(request.content_length or 0, MAX_CHUNK_BYTES)
        try:
            with trio.fail_after(BODY_S):
                identity, size, new = await self.chunks.put(
                    exchange(), session, expected, announced, self.web.caller().holder
                )
        except trio.TooSlowError:
            raise Problem(Code.TOO_SLOW) from None
        except Refusal as refusal:
            status = 413 if refusal.code is Code.CHUNK_SIZE and _length() > MAX_CHUNK_BYTES else 400
            raise Problem(refusal.code, refusal.detail, status=status) from None
        except NoRoom as error:
            raise Problem(error.code, error.detail) from None
        except OSError as error:
            if self.space.refused(error, announced):
                raise Problem(Code.STORE_FULL, "the disk is full") from None
            raise Problem(Code.STORE_FAILED, f"chunks cannot be written: {error.strerror}") from None
        return Stored(identity.hex(), size, new)

    async def _get(self, chunk: str) -> Response:
        identity = hex_bytes(chunk, 32, "chunk")
        data = await self.cache.get("chunk", chunk)
        if data is None:
            stored = await self.reading.here(identity)
            if stored is None:
                return await self._elsewhere(identity)
            if stored.size > CACHED_BYTES:
                return _ranged(stored.size, partial(self.reading.parts, stored), chunk)
            data = b"".join([part async for part in self.reading.parts(stored, 0, stored.size)])
            await self.cache.put("chunk", chunk, data)
        elif await self.store.read(self.chunks.rows.row, identity) is None:
            raise Problem(Code.NOT_FOUND, "chunk")
        return _ranged(len(data), lambda first, end: data[first:end], chunk)

    async def _elsewhere(self, chunk: bytes) -> Response:
        """The bytes of a chunk that only other nodes hold. Raises `Problem` (404, 503)."""
        found: bytes | None = None
        with trio.move_on_after(ELSEWHERE_S) as patience:
            found = await self.replication.bytes_of(chunk)
        if patience.cancelled_caught:
            raise Problem(Code.UNAVAILABLE, "other nodes do not answer in time")
        if found is None:
            raise Problem(Code.NOT_FOUND, "chunk")
        charge().add(len(found))
        view = memoryview(found)
        return _ranged(len(found), lambda first, end: bytes(view[first:end]), chunk.hex())


def _length() -> int:
    return request.content_length or MAX_CHUNK_BYTES + 1


def _identity(text: str) -> bytes:
    return hex_bytes(text, 48 if len(text) == 96 else ID_BYTES, "after")


def _session() -> bytes:
    """The session that the query names: its id and its owner, the latter empty where nobody says whose it is."""
    try:
        return uuid.UUID(request.args.get("session", "")).bytes + query_owner()
    except ValueError:
        raise Problem(Code.REQUEST, "session must be a UUID") from None


def _ranged(size: int, part: Callable[[int, int], Any], chunk: str) -> Response:
    """The bytes that the request's Range asks for (RFC 9110, 14.2), one range; all of them without one. `part` gives
    those from one place to before another."""
    headers = {"ETag": f'"{chunk}"', "Accept-Ranges": "bytes", "Cache-Control": IMMUTABLE}
    first, last, status = 0, size - 1, 200
    # Of HEAD no range can be asked.
    wanted = request.headers.get("Range", "") if request.method == "GET" else ""
    asked = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", wanted)
    if asked is not None and asked[0] != "bytes=-":
        if not asked[1]:
            first, status = max(0, size - int(asked[2])), 206
        elif not asked[2] or int(asked[1]) <= int(asked[2]):
            first, last, status = int(asked[1]), min(int(asked[2] or size), size - 1), 206
    if first > last:
        raise Problem(Code.RANGE, f"there are {size} bytes", headers={"Content-Range": f"bytes */{size}"})
    if status == 206:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    headers["Content-Length"] = str(last + 1 - first)
    response = Response(part(first, last + 1), status, headers=headers, content_type="application/octet-stream")
    response.timeout = None  # whoever reads slowly may take its time
    return response


if __name__ == "__main__":
    main(DataService)
