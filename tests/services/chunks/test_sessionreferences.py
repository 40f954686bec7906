"""The sessions that refer to chunks: in pages, by id with their owners, and what goes of one, and what not."""

from __future__ import annotations

import uuid
from pathlib import Path

from tests.services.chunks.dataservice import OWNERS, SESSIONS, put, running


def name(session: str, owner: str) -> bytes:
    """A session as references have it."""
    return uuid.UUID(session).bytes + bytes.fromhex(owner)


async def test_sessions_come_in_order_page_by_page_and_with_their_owners(tmp_path: Path) -> None:
    async with running(tmp_path) as (service, client):
        for number, session in enumerate(SESSIONS[:3]):
            await put(client, number, session, OWNERS[0])
        await put(client, 0, SESSIONS[0], OWNERS[1])
        references = service.references
        first = await references.page(b"", 3)
        rest = await references.page(first[-1].session, 3)
        wanted = sorted([name(SESSIONS[0], OWNERS[1]), *(name(each, OWNERS[0]) for each in SESSIONS[:3])])
        assert [each.session for each in (*first, *rest)] == wanted
        assert sorted(await references.owners(uuid.UUID(SESSIONS[0]).bytes)) == sorted(
            name(SESSIONS[0], owner) for owner in OWNERS[:2]
        )
        assert await references.since_ms(first[0].session) == first[0].since_ms > 0


async def test_what_may_not_go_stays_and_the_rest_goes(tmp_path: Path) -> None:
    async with running(tmp_path) as (service, client):
        for number in range(3):
            await put(client, number, SESSIONS[0], OWNERS[0])
        await put(client, 1, SESSIONS[1], OWNERS[0])
        references, session = service.references, name(SESSIONS[0], OWNERS[0])
        assert await references.remove(session, lambda reference: False) == 0
        assert await references.remove(session) == 3
        assert [each.session for each in await references.page(b"", 9)] == [name(SESSIONS[1], OWNERS[0])]
        assert await references.remove(session) == 0
