"""What is no request is answered and ends its connection."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trio

from lucid.services.web import strict
from tests.services.web import served
from tests.services.web.flooding import kit
from tests.services.web.rawhttp import H2C, KEY, UPGRADE, told

NO_HOSTS = [b"a..b", b"..", b".a", b"a" * 64, b"a.%s.b:80" % (b"a" * 64)]
"""Names that no machine has, and at which what looks up routes failed where no handler may."""


@pytest.fixture
def answered() -> Iterator[dict[bytes, bytes]]:
    """What must be the first line of the answer to each input."""
    bad, head = b"HTTP/1.1 400 ", b"GET /ready HTTP/1.1\r\nHost: localhost\r\n"
    yield {
        b"\xff\xff\r\n\r\n": bad,
        b"GET /ready HTTP/1.1\r\n\r\n": bad,
        head + b"Host: localhost\r\n\r\n": bad,
        head + b"X: \xe9\r\n\r\n": bad,
        **{b"GET /ready HTTP/1.1\r\nHost: %s\r\n\r\n" % host: bad for host in NO_HOSTS},
        head + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n": bad,
        head + b"X: " + b"a" * 70_000: b"HTTP/1.1 431 ",
        b"GET http://localhost/ready HTTP/1.1\r\nHost: localhost\r\n\r\n": bad,
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n": bad,
        b"HEAD /ready HTTP/1.1\r\nHost: localhost\r\nX: \xff\r\n\r\n": bad,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": b"HTTP/1.1 ",
        UPGRADE % (b"/ready", b"h2c", b", HTTP2-Settings") + H2C + b"\r\n": b"HTTP/1.1 503 ",
        UPGRADE % (b"/ready", b"websocket", b"") + KEY + b"\r\n": b"HTTP/1.1 503 ",
        UPGRADE % (b"/echo", b"websocket", b"") + KEY + b"\r\n": b"HTTP/1.1 401 ",
        UPGRADE % (b"/echo", b"websocket", b"") + b"\r\n": bad,
        b"GET /ready HTTP/1.0\r\n\r\n": b"HTTP/1.1 503 ",
    }


async def test_what_is_no_request_is_answered_and_ends_its_connection(answered: dict[bytes, bytes]) -> None:
    made = kit()
    async with served.served(made) as (_, port):
        for data, line in answered.items():
            got = await trio.to_thread.run_sync(told, port, data, 0.3)
            assert got.startswith(line), (data[:80], got[:80])
            assert b" 101 " not in got
    assert made.edge.failed == 0 and made.edge.open == 0


async def test_a_head_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict, "HEAD_S", 0.2)
    async with served.served(kit()) as (_, port):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(b"GET /re")
        with trio.fail_after(60):
            assert await stream.receive_some() == b""
        await stream.aclose()
