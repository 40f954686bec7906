"""The routes of sessions over real sockets: listed in pages, removed by whoever may, and what peers say handed on."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from lucid.chain.chunks import chunk_id
from lucid.chain.codec import encode
from lucid.chain.releases import release_message
from lucid.client import calls
from lucid.machines.replicamessages import MAX_BYTES, ChunkNeed, ListPart, ListRequest, SessionOffer
from lucid.poot.crypto import Edwards25519
from lucid.services.process.driver import clock_ms
from tests.services.chunks.dataservice import OWNERS, SESSIONS, content, guarded, place, put, running

CRYPTO = Edwards25519()
PEER = "ab" * 32


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


async def test_pages_come_to_an_end_whatever_their_size_and_none_other_is_taken(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, client):
        for number, session in enumerate(SESSIONS[:3]):
            await put(client, number, session, OWNERS[number % 2])
        for limit in (1, 2, 3, 4, 1_000):
            found, query, pages = list[str](), f"?limit={limit}", 0
            while query:
                page = (await client.get(f"/sessions{query}")).json()
                found += [each["session"] for each in page["sessions"]]
                query = f"?limit={limit}&after={page['after']}" if page["after"] else ""
                pages += 1
                assert pages <= 4
            assert found == sorted(SESSIONS[:3])
        for wrong in ("limit=0", "limit=1001", "limit=x", "after=x", f"after={'00' * 15}", f"after={'zz' * 16}"):
            assert (await client.get(f"/sessions?{wrong}")).status_code == 400, wrong


async def test_what_a_peer_says_goes_to_whom_it_concerns(tmp_path: Path) -> None:
    async with running(tmp_path, token="node") as (service, client):
        headers = {"Authorization": "Bearer node"}

        async def say(data: bytes, status: int, peer: str = PEER, token: str = "node") -> None:
            response = await client.post(
                f"/node/replica-messages/{peer}", content=data, headers={"Authorization": f"Bearer {token}"}
            )
            assert response.status_code == status

        await client.put(place(content(1)), content=content(1), headers=headers)
        chunk, needs = chunk_id(content(1)), service.chunks.needs.of
        need = encode(ChunkNeed(request=0, store=bytes(16), needs=(chunk,)))
        await say(need, 401, token="other")
        assert await service.store.read(needs, chunk) == {}
        await say(need, 202)
        assert await service.store.read(needs, chunk) == {bytes.fromhex(PEER): bytes(16)}
        for message in (
            SessionOffer(sessions=(bytes(48),)),
            ListRequest(request=1, session=bytes(48), first=0),
            ListPart(request=1, session=bytes(48), first=0, ids=()),
        ):
            await say(encode(message), 202)
        for wrong in (b"", b"\xc1", need[:-1], need + b"x"):
            await say(wrong, 400)
        await say(bytes(MAX_BYTES + 1), 413)
        await say(need, 400, peer="ab")
