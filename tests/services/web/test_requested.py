"""What a request says: its body within bounds and time, its query, its id."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from lucid.chain.errors import Code
from lucid.services.web import requested, web
from lucid.services.web.problems import Problem
from lucid.services.web.requested import (
    OWNED,
    REACHING,
    hex_bytes,
    number_query,
    query_checkpoint,
    query_number,
    query_owner,
    request_id,
    session_id,
)
from lucid.services.web.web import Web
from tests.services.web import served
from tests.services.web.pairs import error, kit
from tests.waiting import until


async def test_a_large_body_is_a_413_also_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "MAX_BODY_BYTES", 1_000)

    async with served.served(kit()) as (client, port):
        error(await client.post("/pairs", content=b"x" * 1_001), 413, Code.TOO_LARGE)
        assert (await client.post("/pairs", json={"name": "a" * 900})).status_code == 202
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        async with stream:
            head = b"POST /pairs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            await stream.send_all(head + b"64\r\n" + b"x" * 100 + b"\r\n")
            await stream.send_all((b"64\r\n" + b"x" * 100 + b"\r\n") * 10)
            with trio.fail_after(60):
                assert (await stream.receive_some()).startswith(b"HTTP/1.1 413")


async def test_a_slow_body_is_a_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requested, "BODY_S", 0.1)
    async with served.served(kit()) as (_, port):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        async with stream:
            await stream.send_all(b"POST /pairs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
            with trio.fail_after(60):
                assert (await stream.receive_some()).startswith(b"HTTP/1.1 408")


# -- what is written in a path or a query ------------------------------------------------------------------------------

SESSION = uuid.UUID("7c9e6679-7425-40de-944b-e07fc1f90ae7")
NO_UUIDS = [
    *("", "x", "-" * 36, SESSION.hex[:-1], f"{SESSION}0", f"{{{SESSION}}}", f"urn:uuid:{SESSION}", f"{SESSION}\n"),
    *(f" {SESSION.hex[1:]}", f"+{SESSION.hex[1:]}", f"0x{SESSION.hex[2:]}", f"1_{SESSION.hex[2:]}", "\u0660" * 32),
]
"""Several of which `uuid.UUID` takes."""


@pytest.mark.parametrize("text", NO_UUIDS)
def test_what_is_no_uuid_is_no_session(text: str) -> None:
    with pytest.raises(Problem, match="session must be a UUID") as caught:
        session_id(text)
    assert caught.value.status == 400


@given(st.uuids())
def test_a_session_is_its_sixteen_bytes_with_or_without_hyphens(session: uuid.UUID) -> None:
    for text in (str(session), str(session).upper(), session.hex):
        assert session_id(text) == session.bytes


@given(st.text(alphabet="0123456789abcdefABCDEF \n_-x", max_size=12))
def test_bytes_are_hexadecimal_digits_of_their_length_and_nothing_else(text: str) -> None:
    try:
        assert hex_bytes(text, 4, "chunk").hex() == text.lower()
    except Problem as problem:
        assert problem.status == 400 and "chunk must be 8 hexadecimal digits" in problem.detail
        assert not re.fullmatch("[0-9a-fA-F]{8}", text)


def looking() -> Web:
    """A service that says what it was asked."""
    made = served.web()

    @made.route("GET", "/asked", "What was asked", query={"n": number_query(2, 90), **OWNED, **REACHING})
    async def asked() -> Any:
        return (query_number("n", 7, 2, 90), query_owner().hex(), (query_checkpoint() or b"").hex(), request_id())

    return made


async def test_a_query_is_what_it_says_or_a_400() -> None:
    async with served.served(looking()) as (client, _):
        assert (await client.get("/asked")).json()[:3] == [7, "", ""]
        key = "ab" * 32
        assert (await client.get(f"/asked?n=2&owner={key}&checkpoint={key}")).json()[:3] == [2, key, key]
        assert (await client.get("/asked?n=90&owner=")).json()[:2] == [90, ""]
        wrong = {"n": ["1", "91", "-2", "+2", " 2", "2.0", "2e0", "\u0662", "9" * 19, "", "2\0"]}
        wrong |= {name: ["x", key[1:], f"{key}ab", f" {key[1:]}"] for name in ("owner", "checkpoint")}
        for name, values in wrong.items():
            for value in values:
                inside = error(await client.get("/asked", params={name: value}), 400, Code.REQUEST)
                assert inside["message"].partition("(")[2].startswith(f"{name} must be "), value


async def test_an_id_of_a_request_is_the_client_s_where_it_is_a_plain_one() -> None:
    async with served.served(looking()) as (client, _):
        for given in ("a", "A-b_c.9", "x" * 64):
            answer = await client.get("/asked", headers={"X-Request-Id": given})
            assert answer.json()[3] == answer.headers["x-request-id"] == given
        made = set()
        for given in ("", "x" * 65, "a b", "a;b", "<script>"):
            answer = await client.get("/asked", headers={"X-Request-Id": given})
            assert answer.json()[3] == answer.headers["x-request-id"] != given
            made.add(answer.json()[3])
        assert len(made) == 5


async def test_a_body_that_trickles_is_given_up_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece comes in time, and all of them together do not."""
    monkeypatch.setattr(requested, "BODY_S", 0.5)
    async with served.served(kit()) as (_, port), trio.open_nursery() as nursery:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(b"POST /pairs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{")

        async def trickle() -> None:
            while True:
                await stream.send_all(b" ")
                await trio.sleep(0.05)

        nursery.start_soon(trickle)
        with trio.fail_after(60):
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 408")
        nursery.cancel_scope.cancel()
        await stream.aclose()


async def test_memory_of_a_body_is_given_back_whatever_came_of_it() -> None:
    made = kit()
    async with served.served(made) as (client, port):
        await client.post("/pairs", content=b"x" * 100_000)
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(
                b"POST /pairs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n" + b"x" * 50_000
            )
            await until(lambda: made.edge.budget.held)
        await until(lambda: not made.edge.budget.held)
