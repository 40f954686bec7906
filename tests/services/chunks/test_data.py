"""The data chain's service over real sockets: chunks in and out, durable, verified, counted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from lucid.chain.chunks import (
    MAX_CHUNK_BYTES,
    SEGMENT_BYTES,
    ChunkHasher,
    chunk_id,
    segment_count,
    segment_proof,
    session_root,
    verify_segment,
)
from lucid.chain.hashing import chunk_tree_digest, session_tree_digest
from lucid.chain.merkle import root
from lucid.services.chunks.sweeper import KEPT_MS
from lucid.services.process.config import ConfigError
from lucid.services.process.driver import clock_ms
from tests.services.chunks.dataservice import CHUNK, OTHER, SESSION, place, running


async def test_a_chunk_goes_in_and_comes_out(tmp_path: Path) -> None:
    async with running(tmp_path) as (service, client):
        response = await client.put(place(CHUNK), content=CHUNK)
        assert (response.status_code, response.json()["new"], response.json()["size"]) == (201, True, len(CHUNK))
        response = await client.post(f"/store-data?session={OTHER}", content=CHUNK)
        assert response.json() == {"id": chunk_id(CHUNK).hex(), "size": len(CHUNK), "new": False}
        response = await client.get(place(CHUNK))
        assert response.content == CHUNK and response.headers["accept-ranges"] == "bytes"
        head = await client.head(place(CHUNK))
        assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(CHUNK)), b"")
        assert len(await service.store.read(service.chunks.rows.references, chunk_id(CHUNK))) == 2
        assert (await client.get("/health")).json() == {"status": "healthy", "service": "data-chain"}
    async with running(tmp_path) as (_, client):
        assert (await client.get(place(CHUNK))).content == CHUNK, "it is durable"


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=5000-", 206, slice(5000, None)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=0-999999", 206, slice(None)),
        ("bytes=999999-", 416, None),
        ("bytes=9-3", 200, slice(None)),
        ("bytes=-", 200, slice(None)),
        ("items=0-1", 200, slice(None)),
        ("bytes=0-1,3-4", 200, slice(None)),
    ],
)
async def test_ranges(tmp_path: Path, asked: str, status: int, part: slice | None) -> None:
    async with running(tmp_path) as (_, client):
        await client.put(place(CHUNK), content=CHUNK)
        response = await client.get(place(CHUNK), headers={"Range": asked})
        assert response.status_code == status
        if part is not None:
            assert response.content == CHUNK[part]
        if status == 206:
            assert response.headers["content-range"].endswith(f"/{len(CHUNK)}")
        head = await client.head(place(CHUNK), headers={"Range": asked})
        assert head.status_code == 200 and head.headers["content-length"] == str(len(CHUNK)), "of the whole (RFC 9110)"
        described = (await client.get("/openapi.json")).json()["paths"]["/chunks/{chunk}"]["get"]["responses"]
        assert {"200", "206", "416"} <= set(described)


async def test_a_segment_is_proven(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, client):
        await client.put(place(CHUNK), content=CHUNK)
        where = f"/chunks/{chunk_id(CHUNK).hex()}/proof"
        for segment in range(segment_count(len(CHUNK))):
            proof = (await client.get(f"{where}?segment={segment}")).json()
            data, path = bytes.fromhex(proof["data"]), [bytes.fromhex(node) for node in proof["path"]]
            assert verify_segment(chunk_id(CHUNK), proof["size"], segment, data, path)
            assert not verify_segment(chunk_id(CHUNK), proof["size"], segment, data + b"!", path)
        assert (await client.get(f"{where}?segment=99")).status_code == 400


async def test_what_is_no_chunk_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as (service, client):

        async def refused(method: str, path: str, status: int, code: str, content: bytes = CHUNK) -> None:
            response = await client.request(method, path, content=content)
            assert (response.status_code, response.json()["error"]["code"]) == (status, code)

        await refused("PUT", place(CHUNK), 400, "LUCID_ERR_6021", CHUNK + b"!")
        await refused("PUT", place(b"x"), 400, "LUCID_ERR_6020", b"x")
        await refused("POST", f"/store-data?session={SESSION}", 413, "LUCID_ERR_6020", bytes(MAX_CHUNK_BYTES + 1))
        await refused("POST", "/store-data", 400, "LUCID_ERR_3001")
        await refused("POST", "/store-data?session=x", 400, "LUCID_ERR_3001")
        await refused("PUT", f"/chunks/00?session={SESSION}", 400, "LUCID_ERR_3001")
        await refused("DELETE", place(CHUNK), 404, "LUCID_ERR_3002")
        for path in (f"/chunks/{'00' * 32}", f"/chunks/{'00' * 32}/proof"):
            assert (await client.get(path)).status_code == 404
        assert not list(service.chunks.folder.chunks()) and not list(service.chunks.folder.incoming.iterdir())
        assert await service.store.read(lambda: list(service.store.scan("chunk"))) == []


async def test_the_largest_chunk_is_streamed(tmp_path: Path) -> None:
    data = bytes(MAX_CHUNK_BYTES)

    async def parts() -> AsyncIterator[bytes]:
        for first in range(0, len(data), 1 << 20):
            yield data[first : first + (1 << 20)]

    async with running(tmp_path) as (_, client):
        response = await client.post(f"/store-data?session={SESSION}", content=parts())
        assert response.status_code == 201 and response.json()["id"] == chunk_id(data).hex()
        assert (await client.get(place(data))).content == data


async def test_damaged_bytes_are_never_handed_out_and_a_new_upload_heals_them(tmp_path: Path) -> None:
    async with running(tmp_path) as (service, client):
        await client.put(place(CHUNK), content=CHUNK)
        path = service.chunks.folder.place(chunk_id(CHUNK))
        for damage in (CHUNK[:-1], CHUNK[:-1] + b"?", b""):
            path.write_bytes(damage)
            for where in (place(CHUNK), f"/chunks/{chunk_id(CHUNK).hex()}/proof"):
                response = await client.get(where)
                assert (response.status_code, response.json()["error"]["code"]) == (503, "LUCID_ERR_6022")
        path.unlink(missing_ok=True)  # the scrub may have set it aside already
        assert (await client.get(place(CHUNK))).status_code == 503
        assert (await client.put(place(CHUNK), content=CHUNK)).status_code == 201
        assert (await client.get(place(CHUNK))).content == CHUNK
        assert service.chunks.reader.damaged == 7


async def test_a_chunk_goes_a_day_after_its_last_reference(tmp_path: Path) -> None:
    async with running(tmp_path) as (service, client):
        for session in (SESSION, OTHER):
            await client.put(place(CHUNK, session), content=CHUNK)
        assert (await client.delete(place(CHUNK))).json()["references"] == 1
        assert await service.chunks.sweeper.sweep(clock_ms() + 10 * KEPT_MS) == 0
        assert (await client.delete(place(CHUNK, OTHER))).json()["references"] == 0
        assert (await client.delete(place(CHUNK, OTHER))).status_code == 404
        assert await service.chunks.sweeper.sweep(clock_ms() + KEPT_MS - 60_000) == 0
        assert (await client.get(place(CHUNK))).status_code == 200
        await client.put(place(CHUNK), content=CHUNK)
        assert await service.chunks.sweeper.sweep(clock_ms() + 2 * KEPT_MS) == 0, "it is referred to again"
        await client.delete(place(CHUNK))
        assert await service.chunks.sweeper.sweep(clock_ms() + KEPT_MS + 60_000) == 1
        assert (await client.get(place(CHUNK))).status_code == 404 and not list(service.chunks.folder.chunks())


async def test_nothing_goes_before_it_is_known_who_else_there_is(tmp_path: Path) -> None:
    async with running(tmp_path) as (service, client):
        await client.put(place(CHUNK), content=CHUNK)
        await client.delete(place(CHUNK))
        service.replication.asked = False  # the manager is not there yet
        assert await service.chunks.sweeper.sweep(clock_ms() + 2 * KEPT_MS) == 0
        assert (await client.get(place(CHUNK))).status_code == 200
        service.replication.asked = True
        assert await service.chunks.sweeper.sweep(clock_ms() + 2 * KEPT_MS) == 1


async def test_a_folder_has_one_process_at_a_time(tmp_path: Path) -> None:
    async with running(tmp_path):
        with pytest.raises(ConfigError, match="another process"):
            async with running(tmp_path):
                pass
    async with running(tmp_path):
        pass


async def test_many_uploads_at_once(tmp_path: Path) -> None:
    chunks = [bytes([number]) * 5_000 for number in range(20)]
    async with running(tmp_path) as (_, client):

        async def upload(data: bytes) -> None:
            assert (await client.put(place(data), content=data)).status_code == 201

        async with trio.open_nursery() as nursery:
            for data in chunks * 2:
                nursery.start_soon(upload, data)
        for data in chunks:
            assert (await client.get(place(data))).content == data


# -- ids ---------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=3 * SEGMENT_BYTES), st.lists(st.integers(0, 3 * SEGMENT_BYTES), max_size=6))
def test_an_id_does_not_depend_on_the_parts_that_bytes_come_in(data: bytes, cuts: list[int]) -> None:
    hasher = ChunkHasher()
    places = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
    for first, last in pairwise(places):
        hasher.update(data[first:last])
    segments = [data[first : first + SEGMENT_BYTES] for first in range(0, len(data), SEGMENT_BYTES)]
    assert hasher.id() == chunk_id(data) == root(segments, chunk_tree_digest)
    assert hasher.size == len(data)
    for segment, part in enumerate(segments):
        assert verify_segment(chunk_id(data), len(data), segment, part, segment_proof(data, segment))


def test_a_session_s_root_is_over_its_chunk_ids() -> None:
    ids = [chunk_id(bytes([number])) for number in range(5)]
    assert session_root(ids) == root(ids, session_tree_digest) != session_root(ids[::-1])


async def test_a_token_takes_away_what_it_stored_and_the_operator_anything(tmp_path: Path) -> None:
    tokens = {"api_tokens": ("one", "other"), "operator_token": "operator", "token": "node"}

    def bearer(token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}

    async with running(tmp_path) as (_, client):
        assert (await client.put(place(CHUNK, OTHER), content=CHUNK)).status_code == 201
    async with running(tmp_path, **tokens) as (_, client):
        for token in ("one", "other"):  # who stores the same again does not take it over
            assert (await client.put(place(CHUNK), content=CHUNK, headers=bearer(token))).status_code == 201
        assert (await client.delete(place(CHUNK))).status_code == 401
        assert (await client.delete(place(CHUNK), headers=bearer("other"))).status_code == 403
        assert (await client.delete(place(CHUNK, OTHER), headers=bearer("one"))).status_code == 403
        assert (await client.delete(place(CHUNK), headers=bearer("one"))).json()["references"] == 1
        assert (await client.delete(place(CHUNK, OTHER), headers=bearer("operator"))).json()["references"] == 0
