"""Sessions that refer to chunks: listed, removed by id, by whom, and freed when nothing will ever anchor them."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from lucid.chain.chunks import chunk_id
from lucid.chain.errors import Code
from lucid.chain.releases import release_message
from lucid.client import calls
from lucid.poot.crypto import Edwards25519
from lucid.services.chunks.references import DEAD_MS, Asked, DeadReferences
from lucid.services.process.driver import clock_ms
from lucid.services.web.problems import Problem
from lucid.storage.chunkfiles import REFERENCE_TABLE
from tests.services.chunks.dataservice import guarded, running

SESSIONS = [str(uuid.UUID(int=number, version=4)) for number in range(1, 6)]
CRYPTO = Edwards25519()
OWNERS = ["aa" * 32, "bb" * 32]


def content(number: int) -> bytes:
    """A chunk's bytes."""
    return bytes([number]) * 2_000


async def put(client: httpx.AsyncClient, number: int, session: str, owner: str = "", token: str = "") -> None:
    """Store a chunk for a session."""
    query = f"?session={session}" + (f"&owner={owner}" if owner else "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    place = f"/chunks/{chunk_id(content(number)).hex()}{query}"
    assert (await client.put(place, content=content(number), headers=headers)).status_code in (200, 201)


async def test_sessions_are_listed_in_pages_and_removed_by_id(tmp_path: Path) -> None:
    async with running(tmp_path) as (service, client):
        for number, session in enumerate(SESSIONS):
            await put(client, number, session)
            await put(client, number + 1, session, OWNERS[0])
        await put(client, 9, SESSIONS[0], OWNERS[1])
        listed: list[dict[str, Any]] = []
        query = "?limit=2"
        while True:
            page = (await client.get(f"/sessions{query}")).json()
            listed += page["sessions"]
            if page["after"] is None:
                break
            query = f"?limit=2&after={page['after']}"
        assert [(each["session"], each["owner"]) for each in listed] == sorted(
            [(session, owner) for session in SESSIONS for owner in ("", OWNERS[0])] + [(SESSIONS[0], OWNERS[1])]
        )
        assert {(each["chunks"], each["total_bytes"]) for each in listed} == {(1, 2_000)}
        assert all(clock_ms() - each["since_ms"] in range(60_000) for each in listed)

        asked = await client.delete(f"/sessions/{SESSIONS[0]}")
        assert (asked.status_code, asked.json()["error"]["code"]) == (409, "LUCID_ERR_6009")
        assert asked.json()["error"]["details"] == {"owners": ["", *OWNERS]}
        for owner in ("", OWNERS[1]):
            gone = await client.delete(f"/sessions/{SESSIONS[0]}?owner={owner}")
            assert gone.json() == {"session": SESSIONS[0], "owner": owner, "references": 1}
        assert (await client.delete(f"/sessions/{SESSIONS[0]}")).json()["owner"] == OWNERS[0], "one is left"
        assert (await client.delete(f"/sessions/{SESSIONS[0]}")).status_code == 404
        assert (await client.delete("/sessions/x")).status_code == 400
        assert (await client.get("/sessions?after=x")).status_code == 400
        row = await service.store.read(service.chunks.rows.row, chunk_id(content(9)))
        assert row is not None and row.unused_since_ms > 0, "and its chunk goes a day later"


async def test_a_token_removes_what_it_stored_and_the_operators_anything(tmp_path: Path) -> None:
    async with guarded(tmp_path) as (_, client):

        async def delete(path: str, token: str) -> int:
            return (
                await client.delete(path, headers={"Authorization": f"Bearer {token}"} if token else {})
            ).status_code

        session, other = SESSIONS[:2]
        chunk = f"/chunks/{chunk_id(content(1)).hex()}?session={session}"
        await put(client, 1, session, token="one-token")
        await put(client, 1, session, token="two-token")
        assert await delete(chunk, "two-token") == 403, "storing it again takes nothing over"
        assert await delete(f"/sessions/{session}", "two-token") == 403
        assert await delete(chunk, "") == 401
        await put(client, 2, other, token="two-token")
        assert await delete(f"/sessions/{other}", "operator-token") == 200
        assert await delete(chunk, "one-token") == 200
        assert (await client.get("/sessions")).status_code == 401
        assert (await client.get("/sessions", headers={"Authorization": "Bearer two-token"})).json()["sessions"] == []


async def test_the_owner_s_signature_removes_what_others_stored_and_nothing_else(tmp_path: Path) -> None:
    secret, other = bytes([7]) * 32, bytes([8]) * 32
    owner = CRYPTO.public_key(secret)
    async with guarded(tmp_path) as (service, client):
        for name in SESSIONS[:2]:
            await put(client, 1, name, owner.hex(), "one-token")
        chain, session = service.genesis.chain_id, uuid.UUID(SESSIONS[0])

        async def remove(
            key: bytes, signed: uuid.UUID, ahead_ms: int, chain: bytes = chain, token: str = "two-token"
        ) -> int:
            until_ms = clock_ms() + ahead_ms
            signature = CRYPTO.sign(key, release_message(chain, signed.bytes, owner, until_ms))
            call = calls.remove_session(session, owner, until_ms, signature)
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            return (await client.delete(call.path.removeprefix("/api/v1"), headers=headers)).status_code

        minute = 60_000
        assert await remove(other, session, minute) == 403, "another key"
        assert await remove(secret, uuid.UUID(SESSIONS[1]), minute) == 403, "another session"
        assert await remove(secret, session, minute, bytes(32)) == 403, "another chain"
        assert await remove(secret, session, -minute) == 403 and await remove(secret, session, 25 * 60 * minute) == 403
        assert await remove(secret, session, minute, token="") == 401
        held = (await client.get("/sessions", headers={"Authorization": "Bearer operator-token"})).json()["sessions"]
        assert len(held) == 2
        assert await remove(secret, session, minute) == 200 and await remove(secret, session, minute) == 404
        held = (await client.get("/sessions", headers={"Authorization": "Bearer operator-token"})).json()["sessions"]
        assert [each["session"] for each in held] == [SESSIONS[1]]
        row = await service.store.read(service.chunks.rows.row, chunk_id(content(1)))
        assert row is not None and not row.unused_since_ms, "the other session needs it"


async def test_what_nothing_will_ever_anchor_is_freed(tmp_path: Path) -> None:
    async with running(tmp_path) as (service, client):
        for number, session in enumerate(SESSIONS[:3]):
            await put(client, number, session, OWNERS[0])
        known = {uuid.UUID(SESSIONS[0]).bytes + bytes.fromhex(OWNERS[0])}
        asked: list[bytes] = []

        async def is_known(session: bytes) -> bool:
            asked.append(session)
            return session in known

        dead = DeadReferences(service.references, is_known)
        assert await dead.look(clock_ms()) == 0 and not asked, "nothing is old"
        assert await dead.look(clock_ms() + DEAD_MS + 60_000) == 2 and len(asked) == 3
        left = (await client.get("/sessions")).json()["sessions"]
        assert [each["session"] for each in left] == SESSIONS[:1]
        assert await dead.look(clock_ms() + DEAD_MS + 60_000) == 0

        async def nobody_says(session: bytes) -> bool:
            raise Problem(Code.UNAVAILABLE)

        with pytest.raises(Problem):
            await DeadReferences(service.references, nobody_says).look(clock_ms() + 2 * DEAD_MS)
        assert len((await client.get("/sessions")).json()["sessions"]) == 1


async def test_what_an_older_version_stored_is_as_old_as_the_start(tmp_path: Path) -> None:
    async with running(tmp_path) as (service, client):
        await put(client, 1, SESSIONS[0])
        key = chunk_id(content(1)) + uuid.UUID(SESSIONS[0]).bytes
        await service.store.write([(REFERENCE_TABLE, key, b"")])
    async with running(tmp_path) as (service, client):
        assert (await client.get("/sessions")).json()["sessions"][0]["since_ms"] == 0

        async def unknown(session: bytes) -> bool:
            return False

        dead = DeadReferences(service.references, unknown)
        assert await dead.look(clock_ms() + DEAD_MS - 60_000) == 0
        assert await dead.look(clock_ms() + DEAD_MS + 60_000) == 1


class Sibling:
    """A sibling that answers what it is told."""

    def __init__(self, **answers: tuple[int, bytes]) -> None:
        self.answers = answers

    async def fetch(self, path: str) -> tuple[int, bytes]:
        """The answer to a path."""
        return self.answers["health" if path == "/health" else "session"]

    async def get(self, path: str) -> Any:
        """As a sibling reads it."""
        status, _ = await self.fetch(path)
        if status not in (200, 404):
            raise Problem(Code.UNAVAILABLE)
        return {} if status == 200 else None


NOT_FOUND, HEALTHY = (404, b'{"error":{"code":"LUCID_ERR_6005"}}'), (200, b"{}")


@pytest.mark.parametrize(
    ("health", "chain", "here", "known"),
    [
        (HEALTHY, NOT_FOUND, NOT_FOUND, False),
        (HEALTHY, HEALTHY, NOT_FOUND, True),
        (HEALTHY, NOT_FOUND, HEALTHY, True),
        (HEALTHY, NOT_FOUND, (409, b""), True),
        (HEALTHY, NOT_FOUND, (503, b""), True),
        (HEALTHY, NOT_FOUND, (404, b"some proxy"), True),
        ((503, b""), NOT_FOUND, NOT_FOUND, None),
        (HEALTHY, (500, b""), NOT_FOUND, None),
    ],
)
async def test_a_session_is_unknown_only_where_both_say_so(
    health: tuple[int, bytes], chain: tuple[int, bytes], here: tuple[int, bytes], known: bool | None
) -> None:
    asked = Asked(Sibling(health=health, session=chain), Sibling(session=here))  # type: ignore[arg-type]
    session = uuid.UUID(SESSIONS[0]).bytes + bytes(32)
    if known is None:
        with pytest.raises(Problem):
            await asked.known(session)
    else:
        assert await asked.known(session) is known
