"""Whether anybody knows a session: the chain, or this node's session anchoring."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from lucid.chain.errors import Code
from lucid.services.chunks.knownsessions import Asked
from lucid.services.web.problems import Problem
from tests.services.chunks.dataservice import SESSIONS


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
