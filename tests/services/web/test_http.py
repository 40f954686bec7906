"""HTTP/1.1 of one connection: it goes on after an answer, and is closed when nothing comes."""

from __future__ import annotations

import pytest
import trio

from lucid.services.peer.dialing import ConnectionLost
from lucid.services.web import http
from lucid.services.web.websocket import open_websocket
from tests.services.web import served
from tests.services.web.flooding import kit
from tests.services.web.rawhttp import KEY, UPGRADE, refused, told


async def test_websockets_are_for_those_with_the_token_and_early_bytes_are_kept() -> None:
    async with served.served(kit()) as (_, port):
        url = f"ws://127.0.0.1:{port}/echo"
        for token in ("no", "api", "nodex"):
            with pytest.raises(ConnectionLost, match="401"):
                async with open_websocket(url, {"Authorization": f"Bearer {token}"}):
                    pass
        async with open_websocket(url, {"Authorization": "Bearer node"}) as frames:
            await frames.send(b"x" * 100_000)
            assert await frames.receive() == b"x" * 100_000
        request = UPGRADE % (b"/echo", b"websocket", b"") + KEY + b"Authorization: Bearer node\r\n\r\n"
        early = b"\x82\x85\x00\x00\x00\x00hello"
        got = await trio.to_thread.run_sync(
            told, port, request + early, 60.0, lambda all_of_it: all_of_it.endswith(b"hello")
        )
        assert got.startswith(b"HTTP/1.1 101 ") and got.endswith(b"\x82\x05hello")


async def test_a_connection_goes_on_after_an_answer_and_requests_may_come_early() -> None:
    async with served.served(kit()) as (_, port):
        request = b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n"
        got = await trio.to_thread.run_sync(told, port, request * 5, 60.0, lambda got: refused(got) >= 5)
        assert refused(got) == 5


async def test_a_connection_has_no_last_request_of_its_own() -> None:
    """hypercorn ends one after 1,000, unless it is told."""
    made = served.web()
    with trio.fail_after(60):
        async with served.served(made) as (_, port):
            request = b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n"
            got = await trio.to_thread.run_sync(told, port, request * 1_002, 60.0, lambda got: refused(got) >= 1_002)
    assert refused(got) == 1_002 and b"connection: close" not in got


async def test_an_idle_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "KEEP_ALIVE_S", 0.2)
    async with served.served(kit()) as (_, port):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        async with stream:
            await stream.send_all(b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n")
            data = b""
            with trio.fail_after(60):
                while part := await stream.receive_some():
                    data += part
            assert data.startswith(b"HTTP/1.1 503")
