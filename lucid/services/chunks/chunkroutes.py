"""The routes of chunks: they come, they are read, and references to them go."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec
import trio
from quart import Response, request

from lucid.chain.chunks import MAX_CHUNK_BYTES
from lucid.chain.errors import Code, Refusal
from lucid.chain.segments import segment_count
from lucid.services.chunks.chunks import Chunks, ChunkTooLarge
from lucid.services.chunks.reading import ELSEWHERE_S, Reading
from lucid.services.chunks.reference import NotHeld, Reference
from lucid.services.chunks.replication import Replication
from lucid.services.chunks.storedchunk import ChunkDamaged
from lucid.services.chunks.upload import GATHERED_BYTES
from lucid.services.process.service import Service
from lucid.services.process.space import NoRoom, Space
from lucid.services.web.admission import WRITE
from lucid.services.web.lasting import Lasting
from lucid.services.web.problems import Problem
from lucid.services.web.ranges import ranged
from lucid.services.web.requested import OWNED, charge, exchange, hex_bytes, number_query, query_number, query_session
from lucid.services.web.route import Query
from lucid.services.web.web import Web

BODY_S = 120.0
"""How long a chunk may take to arrive."""
CACHED_BYTES = 256 << 10
"""Chunks up to this size are answered from memory; larger ones part by part from their files."""
SESSION = {"session": Query({"type": "string", "format": "uuid"}, required=True), **OWNED}
REFERRING = {"session": Query({"type": "string", "format": "uuid"}), **OWNED}
"""With a session, only a chunk that it refers to here is found: any other may go within a day."""
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


class ChunkRoutes:
    """Takes chunks and returns them, whole or in parts."""

    def __init__(
        self, service: Service, chunks: Chunks, space: Space, replication: Replication, lasting: Lasting
    ) -> None:
        self._service = service
        self._chunks = chunks
        self._space = space
        self._replication = replication
        self._lasting = lasting
        self._reading = Reading(chunks, replication)

    def register(self, web: Web) -> None:
        """Add the routes to a service."""
        self._register_storing(web)
        self._register_reading(web)

    def _register_storing(self, web: Web) -> None:
        """Chunks that come, and references that go."""
        route = web.route

        @route("POST", "/store-data", "Store a chunk", raw=bytes, query=SESSION, gives=Stored, status=201, access=WRITE)
        async def store() -> Stored:
            return await self._put(web, None)

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
            return await self._put(web, hex_bytes(chunk, 32, "chunk"))

        @route(
            "DELETE", "/chunks/<chunk>", "Take a session's reference away", query=SESSION, gives=Released, access=WRITE
        )
        async def delete(chunk: str) -> Released:
            identity = hex_bytes(chunk, 32, "chunk")
            release = partial(self._chunks.release, identity, query_session(), removable(web))
            try:
                left = await self._lasting.carry_out(release)
            except NotHeld as error:
                raise Problem(error.code, error.detail, status=403) from None
            if left is None:
                raise Problem(Code.NOT_FOUND, "reference of this session to this chunk")
            return Released(chunk, left)

    def _register_reading(self, web: Web) -> None:
        """Chunks, whole and in parts."""
        route = web.route

        # Before GET, which would answer HEAD too.
        @route("HEAD", "/chunks/<chunk>", "A chunk's size, once its bytes are verified", query=REFERRING)
        async def head(chunk: str) -> Response:
            identity = hex_bytes(chunk, 32, "chunk")
            session = query_session() if "session" in request.args else b""
            if session and not await self._service.store.read(self._chunks.rows.refers, identity, session):
                raise Problem(Code.NOT_FOUND, "reference of this session to this chunk")
            try:
                stored = await self._chunks.reader.open(identity)
            except ChunkDamaged:
                stored = None  # who has it is to store it again
            if stored is None:
                raise Problem(Code.NOT_FOUND, "chunk")
            return ranged(stored.size, partial(self._chunks.reader.parts, stored), chunk)

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
            found = await self._chunks.reader.proof(
                hex_bytes(chunk, 32, "chunk"),
                lambda size: query_number("segment", 0, 0, segment_count(size) - 1),
            )
            if found is None:
                raise Problem(Code.NOT_FOUND, "chunk")
            path = tuple(node.hex() for node in found.path)
            return SegmentProof(chunk, found.size, found.number, segment_count(found.size), found.data.hex(), path)

    async def _put(self, web: Web, expected: bytes | None) -> Stored:
        session = query_session()
        self._service.check_store()
        announced = min(request.content_length or 0, MAX_CHUNK_BYTES)
        gathered = GATHERED_BYTES if charge().spare(GATHERED_BYTES) else 0
        try:
            with trio.fail_after(BODY_S):
                identity, size, new = await self._chunks.put(
                    exchange(), session, expected, announced, web.caller().holder, gathered
                )
        except trio.TooSlowError:
            raise Problem(Code.TOO_SLOW) from None
        except Refusal as refusal:
            status = 413 if isinstance(refusal, ChunkTooLarge) else 400
            raise Problem(refusal.code, refusal.detail, status=status) from None
        except NoRoom as error:
            raise Problem(error.code, error.detail) from None
        except OSError as error:
            if self._space.refused(error, announced):
                raise Problem(Code.STORE_FULL, "the disk is full") from None
            raise Problem(Code.STORE_FAILED, f"chunks cannot be written: {error.strerror}") from None
        return Stored(identity.hex(), size, new)

    async def _get(self, chunk: str) -> Response:
        identity = hex_bytes(chunk, 32, "chunk")
        data = await self._service.cache.get("chunk", chunk)
        if data is None:
            stored = await self._reading.here(identity)
            if stored is None:
                return await self._elsewhere(identity)
            if stored.size > CACHED_BYTES:
                return ranged(stored.size, partial(self._reading.parts, stored), chunk)
            data = b"".join([part async for part in self._reading.parts(stored, 0, stored.size)])
            await self._service.cache.put("chunk", chunk, data)
        elif await self._service.store.read(self._chunks.rows.row, identity) is None:
            raise Problem(Code.NOT_FOUND, "chunk")
        return ranged(len(data), lambda first, end: data[first:end], chunk)

    async def _elsewhere(self, chunk: bytes) -> Response:
        """The bytes of a chunk that only other nodes hold. Raises `Problem` (404, 503)."""
        found: bytes | None = None
        with trio.move_on_after(ELSEWHERE_S) as patience:
            found = await self._replication.bytes_of(chunk)
        if patience.cancelled_caught:
            raise Problem(Code.UNAVAILABLE, "other nodes do not answer in time")
        if found is None:
            raise Problem(Code.NOT_FOUND, "chunk")
        charge().add(len(found))
        view = memoryview(found)
        return ranged(len(found), lambda first, end: bytes(view[first:end]), chunk.hex())


def removable(web: Web) -> Callable[[Reference], bool]:
    """What the caller may remove: with a token what it stored; the node, the operator, and who needs none, all."""
    caller = web.caller()
    if caller.trusted or not caller.holder:
        return lambda reference: True
    return lambda reference: reference.holder == caller.holder
