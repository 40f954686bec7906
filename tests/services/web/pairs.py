"""A service with a route of each kind, and its errors, for the tests of what comes in over HTTP."""

from __future__ import annotations

from typing import Any

import msgspec

from lucid.chain.errors import Code, Refusal
from lucid.services.web.admission import NODE, WRITE
from lucid.services.web.problems import Problem
from lucid.services.web.requested import query_number
from lucid.services.web.web import Web
from tests.services.web import served

NODE_TOKEN = {"Authorization": "Bearer node"}

API_TOKEN = {"Authorization": "Bearer api"}


class Pair(msgspec.Struct, forbid_unknown_fields=True):
    """A body."""

    name: str
    number: int = 0


def kit(**options: Any) -> Web:
    """A service with a route of each kind."""
    made = served.web(**options)

    @made.route("POST", "/pairs", "Echo", takes=Pair, gives=Pair, status=202, access=WRITE)
    async def pairs(body: Pair) -> Pair:
        return body

    @made.route("GET", "/things/<name>", "By name", gives=Pair)
    async def thing(name: str) -> Pair:
        if name == "refused":
            raise Refusal(Code.SESSION_DUPLICATE, "as a test")
        if name == "broken":
            raise RuntimeError("as a test")
        if name == "gone":
            raise Problem(Code.NOT_FOUND, "thing", {"name": name})
        return Pair(name, query_number("n", 1, 0, 9))

    @made.route("GET", "/inside", "For the node", access=NODE)
    async def inside() -> Pair:
        return Pair("inside")

    return made


def error(response: Any, status: int, code: Code) -> dict[str, Any]:
    """The envelope's inside."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    inside: dict[str, Any] = response.json()["error"]
    assert set(inside) == {"code", "message", "details", "request_id", "service"}
    assert (inside["code"], inside["service"]) == (code.code, "test-service")
    assert response.headers["x-request-id"] == inside["request_id"]
    return inside
