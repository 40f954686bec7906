"""What the current request says: its body, its query, its id. What it says wrongly is a `Problem`."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

import trio
from quart import request

from lucid.chain.errors import Code
from lucid.services.web.budget import Charge
from lucid.services.web.exchange import EXCHANGE, Exchange
from lucid.services.web.openapi import UUID_PATTERN
from lucid.services.web.problems import Problem
from lucid.services.web.route import Query

BODY_S = 20.0
"""How long a body may take to arrive."""


def exchange() -> Exchange:
    """The current request, as the server has it."""
    extensions: Mapping[str, Any] = request.scope["extensions"]
    found: Exchange = extensions[EXCHANGE]
    return found


def charge() -> Charge:
    """What the current request holds of the budget of memory; what is added is given back when it is over."""
    return exchange().charge


async def read_body(limit: int) -> bytes:
    """The body of the current request; raises `Problem` for one that is too large (413), too slow (408), or for which
    there is no memory now (503)."""
    if (request.content_length or 0) > limit:
        raise Problem(Code.TOO_LARGE, f"{limit} bytes at most")
    data = bytearray()
    held = charge()
    try:
        with trio.fail_after(BODY_S):
            async for part in exchange():
                if len(data) + len(part) > limit:
                    raise Problem(Code.TOO_LARGE, f"{limit} bytes at most")
                await held.receive(len(part))
                data += part
    except trio.TooSlowError:
        raise Problem(Code.TOO_SLOW) from None
    return bytes(data)


def number_query(low: int, high: int) -> Query:
    """A number of the query within bounds; `query_number` reads it."""
    return Query({"type": "integer", "minimum": low, "maximum": high})


def query_number(name: str, default: int, low: int, high: int) -> int:
    """A number of the query; raises `Problem` (400) when it is none or out of its bounds."""
    text = request.args.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18 or not low <= int(text) <= high:
        raise Problem(Code.REQUEST, f"{name} must be a number within {low}..{high}")
    return int(text)


SLOT = {"epoch": number_query(0, 2**53), "slot": number_query(0, 2**53)}
REACHING = {"checkpoint": Query({"type": "string", "pattern": "^[0-9a-f]{64}$"})}
"""A block's hash that a receipt has to reach; `query_checkpoint` reads it."""


OWNED = {"owner": Query({"type": "string", "pattern": "^([0-9a-f]{64})?$"})}
"""The owner of a session, where its id alone might be several's; `query_owner` reads it."""


def query_owner() -> bytes:
    """The owner's key that the query names, empty if it names none; raises `Problem` (400)."""
    text = request.args.get("owner")
    return hex_bytes(text, 32, "owner") if text else b""


def session_id(text: str) -> bytes:
    """A session's id, as a path or a query names it; raises `Problem` (400)."""
    # uuid.UUID alone takes whatever int() does: signs, spaces, underscores and the digits of all scripts.
    if not re.fullmatch(UUID_PATTERN, text):
        raise Problem(Code.REQUEST, "session must be a UUID")
    return uuid.UUID(text).bytes


def query_session() -> bytes:
    """The session that the query names: its id and its owner, the latter empty where nobody says whose it is; raises
    `Problem` (400)."""
    return session_id(request.args.get("session", "")) + query_owner()


def query_checkpoint() -> bytes | None:
    """The checkpoint that the query names, if it names one; raises `Problem` (400)."""
    text = request.args.get("checkpoint")
    return None if text is None else hex_bytes(text, 32, "checkpoint")


def hex_bytes(text: str, length: int, name: str) -> bytes:
    """Bytes written in hexadecimal; raises `Problem` (400)."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if len(data) != length or len(text) != 2 * length:
        raise Problem(Code.REQUEST, f"{name} must be {2 * length} hexadecimal digits")
    return data


def request_id() -> str:
    """The current request's id: the client's own, if it is a plain one."""
    held: str | None = getattr(request, "lucid_id", None)
    if held is None:
        given = request.headers.get("X-Request-Id", "")
        held = given if re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", given) else uuid.uuid4().hex
        request.lucid_id = held  # type: ignore[attr-defined]
    return held
