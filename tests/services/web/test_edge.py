"""The way in of a service: no connection ends it, and what fails on one is counted and logged once."""

from __future__ import annotations

from random import Random

import httpx
import pytest
import trio

from fuzz.node import check_let_go
from fuzz.targets import http1
from lucid.services.devnet import Devnet
from lucid.services.devnode import SERVICES
from lucid.services.web import serve
from tests.services.web.flooding import kit
from tests.services.web.rawhttp import H2C, KEY, UPGRADE, told

KILLERS = [
    UPGRADE % (b"/health", b"websocket", b", \xff") + KEY + b"\r\n",
    UPGRADE % (b"/health", b"websocket", b"") + KEY + b"Sec-WebSocket-Extensions: \xff\r\n\r\n",
    UPGRADE % (b"/health", b"websocket", b"") + KEY + b"\r\n\xff\xff\xffGET / HTTP/1.1\r\n\r\n",
    UPGRADE % (b"/node/engine", b"websocket", b"") + KEY + b"\r\n\x82\x05hello",
    UPGRADE % (b"/health", b"h2c", b", HTTP2-Settings") + H2C + b"\r\n",
    UPGRADE % (b"/health", b"h2c", b", HTTP2-Settings") + b"HTTP2-Settings: !!\r\n\r\n",
    http1.PREFACE + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x05\x01\x05\x00\x00\x00\x01\xff\xff\xff\xff\xff",
    b"GET /health HTTP/1.1\r\nHost: \xff\r\n\r\n",
    b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
]


@pytest.mark.parametrize("service", SERVICES)
def test_no_connection_ends_a_service(lone: Devnet, service: str) -> None:
    node = lone.nodes[0]
    for data in KILLERS:
        told(node.ports[service], data, first_s=0.2)
    for number in range(150):
        http1.hand_in(("127.0.0.1", node.ports[service]), Random(number))
    assert node.processes[service].poll() is None, node.last_words(service)
    assert httpx.get(f"{node.url(service)}/ready").status_code == 200
    assert "\nlucid_connections_failed 0.0\n" in httpx.get(f"{node.url(service)}/metrics").text
    check_let_go(node, service)
    assert "\nlucid_budget_bytes 0.0\n" in httpx.get(f"{node.url(service)}/metrics").text


async def test_an_error_of_the_service_ends_one_connection_alone(caplog: pytest.LogCaptureFixture) -> None:
    made = kit()

    async def fails(scope: object, receive: object, send: object) -> None:
        raise RuntimeError("as a \n test")

    listening = serve.listen("127.0.0.1", 0)
    port, stop = listening.getsockname()[1], trio.Event()
    async with trio.open_nursery() as nursery:
        await nursery.start(serve.serve, fails, listening, stop, None, made.edge)
        for _ in range(3):
            assert await trio.to_thread.run_sync(told, port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") == b""
        stop.set()
    assert made.edge.failed == 3
    lines = [record.getMessage() for record in caplog.records if record.name == "lucid.edge"]
    assert lines == [r"a connection from 127.0.0.1 failed: RuntimeError: as a \n test"], "one line, not one for each"
