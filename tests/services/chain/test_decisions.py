"""Decisions of administrators on their way to the node's engine: what is none stays here, what it says is passed on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest
from quart import Response

from lucid.chain.codec import encode
from lucid.chain.errors import Code
from lucid.services.chain.decisions import Decisions
from lucid.services.process.config import load_config
from lucid.services.web.requested import read_body
from tests.builders import Chain
from tests.services.web.served import served, web

SIGNERS = Chain()
DECISION = encode(SIGNERS.schedule(2, 40, 0)).hex()
ID = "ab" * 32


class Engine:
    """An engine that answers so, and keeps what it is asked."""

    def __init__(self) -> None:
        self.status = 202
        self.said: Any = {"id": ID}
        self.asked: list[bytes] = []
        self.kit = web(token="node")
        self.kit.route("POST", "/transactions", "As the test has it")(self._answer)
        self.kit.route("GET", "/transactions/<identity>", "As the test has it")(self._answer)

    async def _answer(self, identity: str = "") -> Response:
        self.asked.append(identity.encode() or await read_body(1 << 20))
        return Response(msgspec.json.encode(self.said), self.status, content_type="application/json")


@asynccontextmanager
async def manager(engine: Engine) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a block manager with this engine."""
    kit = web(token="node")
    async with served(engine.kit) as (_, port):
        decisions = Decisions(load_config({}, engine_url=f"http://127.0.0.1:{port}", token="node"), kit)
        decisions.register()
        async with decisions.running(), served(kit) as (client, _):
            yield client


async def test_a_decision_is_handed_on_as_it_came_and_found_again() -> None:
    engine = Engine()
    async with manager(engine) as client:
        taken = await client.post("/chain/decisions", json={"payload": DECISION})
        assert (taken.status_code, taken.json()) == (202, {"id": ID})
        assert [msgspec.json.decode(each) for each in engine.asked] == [{"payload": DECISION}]
        engine.status, engine.said = 200, {"id": ID, "status": "included", "height": 7}
        assert (await client.get(f"/chain/decisions/{ID}")).json() == engine.said
        engine.status = 404
        assert (await client.get(f"/chain/decisions/{ID}")).status_code == 404
        assert engine.asked[1:] == [ID.encode()] * 2
        assert (await client.get("/chain/decisions/x")).status_code == 400 and len(engine.asked) == 3


async def test_what_is_no_decision_never_reaches_the_engine() -> None:
    engine = Engine()
    anchor = encode(SIGNERS.anchor(0)).hex()
    async with manager(engine) as client:
        for payload in ("", "x", DECISION[:-2], DECISION + "00", anchor):
            refused = await client.post("/chain/decisions", json={"payload": payload})
            assert (refused.status_code, refused.json()["error"]["code"]) == (400, Code.REQUEST.code), payload
        for body in ({}, {"payload": DECISION, "more": 1}, [DECISION]):
            assert (await client.post("/chain/decisions", json=body)).status_code == 400
    assert not engine.asked


@pytest.mark.parametrize(
    ("status", "said", "code", "shown"),
    [
        (400, {"error": {"code": Code.TX_ACTIVATION.code}}, Code.TX_ACTIVATION, 400),
        (409, {"error": {"code": Code.MEMPOOL_KNOWN.code}}, Code.MEMPOOL_KNOWN, 409),
        (503, {"error": {"code": Code.MEMPOOL_FULL.code}}, Code.MEMPOOL_FULL, 503),
        (401, {"error": {"code": Code.TOKEN.code}}, Code.TOKEN, 503),
        (400, {"error": {"code": "LUCID_ERR_99999"}}, Code.UNAVAILABLE, 503),
        (400, {}, Code.UNAVAILABLE, 503),
        (202, [], Code.UNAVAILABLE, 503),
        (202, {"id": 7}, Code.UNAVAILABLE, 503),
    ],
    ids=["refused", "known", "full", "token", "no code", "nothing", "no answer", "no id"],
)
async def test_what_the_engine_says_is_passed_on_and_what_it_never_says_is_not(
    status: int, said: Any, code: Code, shown: int
) -> None:
    engine = Engine()
    engine.status, engine.said = status, said
    async with manager(engine) as client:
        found = await client.post("/chain/decisions", json={"payload": DECISION})
        assert (found.status_code, found.json()["error"]["code"]) == (shown, code.code)


async def test_an_engine_that_is_away_is_said_to_be() -> None:
    kit = web(token="node")
    decisions = Decisions(load_config({}, engine_url="http://127.0.0.1:9", token="node"), kit)
    decisions.register()
    async with decisions.running(), served(kit) as (client, _):
        for found in (
            await client.post("/chain/decisions", json={"payload": DECISION}),
            await client.get(f"/chain/decisions/{ID}"),
        ):
            assert (found.status_code, found.json()["error"]["code"]) == (503, Code.UNAVAILABLE.code)
            assert "engine" in found.text
