"""Sessions that refer to chunks: those that nothing will ever anchor are freed, and nobody else's."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from lucid.chain.chunks import chunk_id
from lucid.chain.errors import Code
from lucid.services.chunks.deadreferences import DEAD_MS, DeadReferences
from lucid.services.chunks.reference import REFERENCE_TABLE
from lucid.services.process.driver import clock_ms
from lucid.services.web.problems import Problem
from tests.services.chunks.dataservice import OWNERS, SESSIONS, content, put, running


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


async def test_a_recording_that_goes_on_is_not_dead(tmp_path: Path) -> None:
    """It may do so while the chain is asked about the session as it was."""
    async with running(tmp_path) as (service, client):
        await put(client, 1, SESSIONS[0], OWNERS[0])
        [old] = await service.references.page(b"", 1)
        later = clock_ms() + DEAD_MS + 60_000
        service.chunks.inventory.now_ms = lambda: later

        async def unknown(session: bytes) -> bool:
            await put(client, 1, SESSIONS[0], OWNERS[0])
            return False

        assert await DeadReferences(service.references, unknown).look(later) == 0
        assert (await service.references.page(b"", 1))[0].since_ms == later > old.since_ms


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
