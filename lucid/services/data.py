"""The data chain's service (port 8087): stores and returns encrypted chunks. Run it with `python -m`."""

from __future__ import annotations

import re
import uuid

import msgspec
import trio
from quart import Response, request

from lucid.chain.chunks import MAX_CHUNK_BYTES, SEGMENT_BYTES, segment_count, segment_proof
from lucid.chain.errors import Code, Refusal
from lucid.services.admission import WRITE
from lucid.services.chunks import Chunks
from lucid.services.config import Config
from lucid.services.openapi import Query
from lucid.services.problems import Problem
from lucid.services.service import Service, main
from lucid.services.web import OWNED, exchange, hex_bytes, json_response, number_query, query_number, query_owner

BODY_S = 120.0
"""How long a chunk may take to arrive."""
SESSION = {"session": Query({"type": "string", "format": "uuid"}, required=True), **OWNED}
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

    name = "data-chain"
    file = "data"
    port = 8087

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.chunks = Chunks(config.data_dir / "chunks", self.store)
        self.full = False
        self.web.checks.append(lambda: "no room for chunks" if self.full else None)
        self.web.gauge("chunks_damaged", "Reads of damaged chunks since the start.", lambda: self.chunks.damaged)
        self._register()

    async def work(self, task_status: trio.TaskStatus[None]) -> None:
        """See `Service`."""
        task_status.started()
        await self.chunks.run()

    def _register(self) -> None:
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

        @route("GET", "/chunks/<chunk>", "A chunk's bytes, or a range of them")
        async def get(chunk: str) -> Response:
            return _ranged(await self._bytes(chunk), chunk)

        @route("HEAD", "/chunks/<chunk>", "A chunk's size")
        async def head(chunk: str) -> Response:
            row = self.chunks.row(hex_bytes(chunk, 32, "chunk"))
            if row is None:
                raise Problem(404, Code.NOT_FOUND, "chunk")
            headers = {"Content-Length": str(row.size), "ETag": f'"{chunk}"', "Accept-Ranges": "bytes"}
            return Response(b"", headers=headers, content_type="application/octet-stream")

        @route(
            "GET",
            "/chunks/<chunk>/proof",
            "A segment and its path to the chunk's id",
            query=SEGMENT,
            gives=SegmentProof,
        )
        async def proof(chunk: str) -> SegmentProof:
            data = await self._bytes(chunk)
            segments = segment_count(len(data))
            segment = query_number("segment", 0, 0, segments - 1)
            path = await trio.to_thread.run_sync(segment_proof, data, segment)
            part = data[segment * SEGMENT_BYTES : (segment + 1) * SEGMENT_BYTES]
            return SegmentProof(chunk, len(data), segment, segments, part.hex(), tuple(node.hex() for node in path))

        @route(
            "DELETE", "/chunks/<chunk>", "Take a session's reference away", query=SESSION, gives=Released, access=WRITE
        )
        async def delete(chunk: str) -> Released:
            identity = hex_bytes(chunk, 32, "chunk")
            if not await self.chunks.release(identity, _session()):
                raise Problem(404, Code.NOT_FOUND, "reference of this session to this chunk")
            return Released(chunk, len(self.chunks.references(identity)))

    async def _store(self, expected: bytes | None) -> Stored:
        session = _session()
        if self.store.trouble is not None:
            raise Problem(503, Code.STORE_FULL, self.store.trouble)
        try:
            with trio.fail_after(BODY_S):
                identity, size, new = await self.chunks.put(exchange(), session, expected)
        except trio.TooSlowError:
            raise Problem(408, Code.TOO_SLOW) from None
        except Refusal as refusal:
            status = 413 if refusal.code is Code.CHUNK_SIZE and _length() > MAX_CHUNK_BYTES else 400
            raise Problem(status, refusal.code, refusal.detail) from None
        except OSError as error:
            self.full = True
            raise Problem(507, Code.STORE_FULL, str(error.strerror)) from None
        self.full = False
        return Stored(identity.hex(), size, new)

    async def _bytes(self, chunk: str) -> bytes:
        identity = hex_bytes(chunk, 32, "chunk")
        if self.chunks.row(identity) is None:
            raise Problem(404, Code.NOT_FOUND, "chunk")
        data = await self.cache.get("chunk", chunk)
        if data is not None:
            return data
        data = await self.chunks.get(identity)
        if data is None:
            raise Problem(404, Code.NOT_FOUND, "chunk")
        await self.cache.put("chunk", chunk, data)
        return data


def _length() -> int:
    return request.content_length or MAX_CHUNK_BYTES + 1


def _session() -> bytes:
    """The session that the query names: its id and its owner, the latter empty where nobody says whose it is."""
    try:
        return uuid.UUID(request.args.get("session", "")).bytes + query_owner()
    except ValueError:
        raise Problem(400, Code.REQUEST, "session must be a UUID") from None


def _ranged(data: bytes, chunk: str) -> Response:
    """The bytes that the request's Range asks for (RFC 9110, 14.2), one range; all of them without one."""
    headers = {"ETag": f'"{chunk}"', "Accept-Ranges": "bytes", "Cache-Control": "public, max-age=31536000, immutable"}
    asked = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", request.headers.get("Range", ""))
    if asked is None or asked[0] == "bytes=-":
        return Response(data, headers=headers, content_type="application/octet-stream")
    size = len(data)
    if asked[1]:
        first, last = int(asked[1]), min(int(asked[2] or size), size - 1)
    else:
        first, last = max(0, size - int(asked[2])), size - 1
    if first > last:
        if asked[1] and asked[2] and int(asked[2]) < int(asked[1]):
            return Response(data, headers=headers, content_type="application/octet-stream")
        response = json_response({}, 416)
        response.headers["Content-Range"] = f"bytes */{size}"
        return response
    headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return Response(data[first : last + 1], 206, headers=headers, content_type="application/octet-stream")


if __name__ == "__main__":
    main(DataService)
