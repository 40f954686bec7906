"""The routes of chunks over real sockets: in and out, whole or in parts, refused for a reason, never damaged."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lucid.chain.chunks import MAX_CHUNK_BYTES, MIN_CHUNK_BYTES, chunk_id
from lucid.chain.segments import segment_count, verify_segment
from lucid.services.chunks.sweeper import KEPT_MS
from lucid.services.process.driver import clock_ms
from tests.services.chunks.dataservice import CHUNK, OTHER, SESSION, place, running


async def parts_of(data: bytes) -> AsyncIterator[bytes]:
    """An upload of a length that nobody says before."""
    for first in range(0, len(data), 1 << 20):
        yield data[first : first + (1 << 20)]


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


RANGES: list[tuple[str, int, slice | None]] = [
    ("bytes=0-9", 206, slice(0, 10)),
    ("bytes=5000-", 206, slice(5000, None)),
    ("bytes=-7", 206, slice(-7, None)),
    ("bytes=0-999999", 206, slice(None)),
    ("bytes=999999-", 416, None),
    ("bytes=9-3", 200, slice(None)),
    ("bytes=-", 200, slice(None)),
    ("items=0-1", 200, slice(None)),
    ("bytes=0-1,3-4", 200, slice(None)),
]


async def test_ranges(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, client):
        await client.put(place(CHUNK), content=CHUNK)
        for asked, status, part in RANGES:
            response = await client.get(place(CHUNK), headers={"Range": asked})
            assert response.status_code == status, asked
            if part is not None:
                assert response.content == CHUNK[part], asked
            if status == 206:
                assert response.headers["content-range"].endswith(f"/{len(CHUNK)}")
            head = await client.head(place(CHUNK), headers={"Range": asked})
            whole = (200, str(len(CHUNK)))
            assert (head.status_code, head.headers["content-length"]) == whole, "of the whole (RFC 9110)"
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
    async with running(tmp_path) as (_, client):
        response = await client.post(f"/store-data?session={SESSION}", content=parts_of(data))
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


async def test_too_short_and_too_long_are_told_apart_whether_or_not_the_length_is_said(tmp_path: Path) -> None:
    """413 tells a client that less would do."""
    sizes = {0: 400, 1: 400, MIN_CHUNK_BYTES - 1: 400, MAX_CHUNK_BYTES + 1: 413}
    async with running(tmp_path) as (_, client):
        for size, status in sizes.items():
            for content in (bytes(size), parts_of(bytes(size))):
                response = await client.post(f"/store-data?session={SESSION}", content=content)
                assert (response.status_code, response.json()["error"]["code"]) == (status, "LUCID_ERR_6020"), size


async def test_what_was_removed_is_not_found_though_it_was_read_before(tmp_path: Path) -> None:
    async with running(tmp_path) as (service, client):
        await client.put(place(CHUNK), content=CHUNK)
        for _ in range(2):
            assert (await client.get(place(CHUNK))).content == CHUNK
        await client.delete(place(CHUNK))
        assert await service.chunks.sweeper.sweep(clock_ms() + 2 * KEPT_MS) == 1
        for method in ("GET", "HEAD", "DELETE"):
            assert (await client.request(method, place(CHUNK))).status_code == 404


async def test_a_session_asks_whether_it_refers_to_a_chunk(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, client):
        await client.put(place(CHUNK), content=CHUNK)
        assert (await client.head(place(CHUNK))).status_code == 200
        assert (await client.head(place(CHUNK, OTHER))).status_code == 404
        assert (await client.head(place(CHUNK) + f"&owner={'ab' * 32}")).status_code == 404, "that of no owner"
        assert (await client.head(f"/chunks/{chunk_id(CHUNK).hex()}")).status_code == 200
        await client.delete(place(CHUNK))
        assert (await client.head(place(CHUNK))).status_code == 404
        assert (await client.head(f"/chunks/{chunk_id(CHUNK).hex()}")).status_code == 200, "until its day is over"


async def test_an_answer_may_be_kept_forever_and_goes_by_its_id(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, client):
        await client.put(place(CHUNK), content=CHUNK)
        for method in ("GET", "HEAD"):
            headers = (await client.request(method, place(CHUNK))).headers
            assert headers["etag"] == f'"{chunk_id(CHUNK).hex()}"' and "immutable" in headers["cache-control"]


async def test_a_card_that_became_read_only_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reference that went was answered with an internal failure."""
    async with running(tmp_path) as (_, client):
        assert (await client.put(place(CHUNK), content=CHUNK)).status_code == 201

        def fails(*_: object, **__: object) -> None:
            raise OSError(errno.EROFS, "Read-only file system")

        monkeypatch.setattr("os.utime", fails)
        for path in (place(CHUNK), f"/sessions/{SESSION}"):
            answer = await client.delete(path)
            assert answer.status_code == 503 and "cannot be read or written" in answer.text
        monkeypatch.undo()
        assert (await client.delete(place(CHUNK))).json()["references"] == 0
