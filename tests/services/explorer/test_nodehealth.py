"""How a node's services are, as one of them shows it."""

from __future__ import annotations

from typing import cast

import pytest
import trio

from lucid.chain.errors import Code
from lucid.services.explorer.nodehealth import health_of, own_health
from lucid.services.process.sibling import Sibling
from lucid.services.web.health import Condition
from lucid.services.web.problems import Problem
from tests.services.explorer.answering import Other

SAID = b'{"status":"degraded","service":"x","conditions":[{"state":"a","sentence":"b\\u0007","remedy":"c"}]}'


async def health(*others: Other) -> list[tuple[str, str, tuple[str, ...]]]:
    """Status, name and reasons of each."""
    found = await health_of({f"s{place}": cast(Sibling, other) for place, other in enumerate(others)})
    return [(each.status, each.service, each.reasons) for each in found]


async def test_each_says_for_itself_how_it_is() -> None:
    [said] = await health(Other(503, SAID))
    assert said[:2] == ("degraded", "s0") and "\a" not in said[2][0], "what it says is shown as text, under our name"


@pytest.mark.parametrize(("status", "body"), [(500, SAID), (200, b"no JSON"), (200, b"[]")])
async def test_one_that_answers_otherwise_is_away(status: int, body: bytes) -> None:
    [said] = await health(Other(status, body))
    assert said == ("away", "s0", ("it does not answer",))


async def test_one_that_is_away_keeps_no_other_waiting() -> None:
    class Silent(Other):
        async def fetch(self, path: str, wait_s: float = 0) -> tuple[int, bytes]:
            await trio.lowlevel.checkpoint()
            raise Problem(Code.UNAVAILABLE, "it does not answer")

    found = await health(Silent(0, b""), Other(200, SAID))
    assert [status for status, _, _ in found] == ["away", "degraded"]


def test_how_the_service_itself_is() -> None:
    assert own_health("manager", ()).status == "healthy"
    ill = own_health("manager", (Condition("behind", "it is behind", "wait"),))
    assert (ill.status, ill.service, ill.reasons) == ("degraded", "manager", ("it is behind",))
