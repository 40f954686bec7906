"""The way in over real sockets: no connection ends a service, and each gets only what it may have."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from random import Random

import httpx
import pytest
import trio
from quart import Response

from fuzz.node import check_let_go
from fuzz.targets import http1
from lucid.services.devnet import SERVICES, Devnet
from lucid.services.peer.dialing import ConnectionLost
from lucid.services.web import http, requested, serve, streams
from lucid.services.web.admission import WRITE
from lucid.services.web.streams import ClientStream
from lucid.services.web.web import Web
from lucid.services.web.websocket import WebSocket, open_websocket
from tests.services.web import served

UPGRADE = b"GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: %s\r\nConnection: Upgrade%s\r\n"
KEY = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
H2C = b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n"
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

NO_HOSTS = [b"a..b", b"..", b".a", b"a" * 64, b"a.%s.b:80" % (b"a" * 64)]
"""Names that no machine has, and at which what looks up routes failed where no handler may."""


def told(
    port: int,
    data: bytes,
    quiet_s: float = 2.0,
    enough: Callable[[bytes], bool] = lambda _: False,
    first_s: float = 60.0,
) -> bytes:
    """What is answered to some bytes, until that is enough, it ends, or nothing comes for a while after the first."""
    with socket.create_connection(("127.0.0.1", port), timeout=first_s) as connection:
        connection.sendall(data)
        got = b""
        try:
            while not enough(got) and (part := connection.recv(65_536)):
                got += part
                connection.settimeout(quiet_s)
        except (TimeoutError, ConnectionResetError):
            pass
        return got


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


def kit() -> Web:
    """A service with an endpoint that fails where no handler may, and one that lasts."""
    made = served.web()

    @made.route("GET", "/flood", "More than fits in between")
    async def flood() -> Response:
        return Response(b"x" * (6 << 20), content_type="application/octet-stream")

    @made.lasting("/echo", lambda token: token == "node")
    async def echo(frames: WebSocket) -> None:
        while True:
            await frames.send(await frames.receive())

    return made


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


def refused(got: bytes) -> int:
    """How many answers say that the service is not ready."""
    return got.count(b"HTTP/1.1 503 Service Unavailable\r\n")


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


async def small_window(port: int) -> trio.SocketStream:
    """A connection whose end here takes little at once: a large buffer would hide for long whether anyone reads."""
    plain = trio.socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
    await plain.connect(("127.0.0.1", port))
    return trio.SocketStream(plain)


async def test_a_slow_reader_is_served_and_one_that_stops_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "STALLED_S", 3.0)
    made = kit()
    request = b"GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with trio.fail_after(60):
        async with served.served(made) as (_, port):
            stopped, slow = await small_window(port), await small_window(port)
            for stream in (stopped, slow):
                await stream.send_all(request)
            read, began = 0, trio.current_time()
            while read < 6 << 20:
                part = await slow.receive_some(64 << 10 if trio.current_time() < began + 8 else 1 << 20)
                assert part, "it was cut"
                read += len(part)
                if trio.current_time() < began + 8:
                    await trio.sleep(0.2)
            with pytest.raises(trio.BrokenResourceError):
                while await stopped.receive_some(1 << 20):
                    pass
            for stream in (stopped, slow):
                await trio.aclose_forcefully(stream)


async def test_one_that_stops_is_cut_soon_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "STALLED_S", 8.0)
    async with await open_listener() as listener, await small_window(listener.socket.getsockname()[1]) as reader:
        sender = ClientStream(await listener.accept())
        stopped_s = 0.0

        async def read_and_stop() -> None:
            nonlocal stopped_s
            for _ in range(10):
                await reader.receive_some(16 << 10)
                await trio.sleep(0.1)
            stopped_s = trio.current_time()

        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(read_and_stop)
                with pytest.raises(trio.BrokenResourceError, match="nothing was read"):
                    await sender.send_all(bytes(64 << 20))
        assert 0.9 * streams.STALLED_S < trio.current_time() - stopped_s < 1.6 * streams.STALLED_S
        await sender.aclose()


async def open_listener() -> trio.SocketListener:
    """Where one connection is taken, with as small a buffer as a service's."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    listener.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, streams.BUFFER_BYTES)
    return listener


async def test_the_longest_idle_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "MAX_CONNECTIONS", 20)
    made = kit()
    async with served.served(made) as (client, port):
        idle = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(60)]
        assert (await client.get("/ready")).status_code == 503
        assert made.edge.open <= 21
        for stream in idle:
            await trio.aclose_forcefully(stream)


async def test_a_head_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "HEAD_S", 0.2)
    async with served.served(kit()) as (_, port):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(b"GET /re")
        with trio.fail_after(60):
            assert await stream.receive_some() == b""
        await stream.aclose()


def reading() -> Web:
    """A service that reads bodies: all of one, or as little as the test lets it."""
    made = served.web()

    @made.route("POST", "/read", "All of it", raw=bytes, access=WRITE)
    async def read() -> Response:
        return Response(str(len(await requested.read_body(1 << 20))))

    @made.route("POST", "/little", "A first piece, and then nothing for long", raw=bytes, access=WRITE)
    async def little() -> Response:
        await anext(requested.exchange())
        await trio.sleep(1.5)
        return Response("enough")

    return made


POST = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n%s\r\n"


async def test_bodies_may_follow_each_other_and_none_is_taken_for_a_request() -> None:
    async with served.served(reading()) as (_, port):
        one = POST % (b"/read", 21, b"") + b"GET / HTTP/1.1\r\n\r\nabc"
        chunked = b"POST /read HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        other = chunked + b"5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n"
        got = await trio.to_thread.run_sync(
            told, port, (one + other) * 3, 60.0, lambda got: got.count(b"\r\n\r\n10") >= 3
        )
        assert got.count(b"HTTP/1.1 200 OK\r\n") == 6 and got.count(b"HTTP/1.1") == 6
        assert got.count(b"\r\n\r\n21") == 3 and got.count(b"\r\n\r\n10") == 3


async def test_a_client_that_waits_is_asked_for_its_body_only_when_it_is_wanted() -> None:
    async with served.served(reading()) as (_, port):
        waits = b"Expect: 100-continue\r\n"
        got = await trio.to_thread.run_sync(told, port, POST % (b"/read", 5, waits), 0.3)
        assert got.startswith(b"HTTP/1.1 100 ") and got.count(b"HTTP/1.1") == 1
        got = await trio.to_thread.run_sync(told, port, POST % (b"/read", 5, waits) + b"hello", 0.3)
        assert got.endswith(b"\r\n\r\n5")
        for path, size, status in ((b"/read", 2 << 20, b"413"), (b"/none", 5, b"404")):
            got = await trio.to_thread.run_sync(told, port, POST % (path, size, waits), 0.3)
            assert got.startswith(b"HTTP/1.1 " + status) and got.count(b"HTTP/1.1") == 1


async def test_an_answer_that_comes_before_its_body_is_not_lost() -> None:
    async with served.served(reading()) as (_, port):
        data = POST % (b"/read", 2 << 20, b"") + b"x" * (900 << 10)
        for _ in range(5):
            assert (await trio.to_thread.run_sync(told, port, data)).startswith(b"HTTP/1.1 413 ")


async def test_a_body_is_read_no_faster_than_it_is_used() -> None:
    async with served.served(reading()) as (_, port):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        async with stream:
            await stream.send_all(POST % (b"/little", 1 << 30, b""))
            sent = 0
            with trio.move_on_after(1):
                while True:
                    sent += await stream.socket.send(b"x" * 65_536)
            assert 1 << 16 < sent < 24 << 20, "the kernel holds what nobody reads"
            with trio.fail_after(60):
                assert (await stream.receive_some()).startswith(b"HTTP/1.1 200 ")


async def test_who_leaves_is_gone_at_once_and_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    made = reading()
    async with served.served(made) as (_, port):
        starts = [b"", b"GET /re", b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n", POST % (b"/read", 9, b"") + b"half"]
        streams = [await trio.open_tcp_stream("127.0.0.1", port) for _ in starts]
        for stream, data in zip(streams, starts, strict=True):
            await stream.send_all(data)
        with trio.fail_after(60):
            while made.edge.open < len(starts):
                await trio.sleep(0.02)
        for stream in streams:
            await trio.aclose_forcefully(stream)
        with trio.fail_after(60):
            while made.edge.open:
                await trio.sleep(0.02)
    assert made.edge.failed == 0 and not caplog.records


@pytest.mark.parametrize("path", [b"/read", b"/little", b"/none"])
async def test_who_leaves_with_half_a_body_sent_is_gone(path: bytes) -> None:
    """hypercorn's news of it used to wait behind the body that nobody read, forever."""
    made = reading()
    async with served.served(made) as (_, port):
        for number in range(24):
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            data = POST % (path, 4 << 20, b"") + b"x" * (8 << number % 16)
            with trio.move_on_after(0.01 * (number % 3)):
                await stream.send_all(data)
            if number % 2:
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            await trio.aclose_forcefully(stream)
        with trio.fail_after(60):
            while made.edge.open:
                await trio.sleep(0.02)
    assert made.edge.failed == 0 and made.edge.budget.held == 0


async def test_whatever_clients_are_at_the_end_comes_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "GRACE_S", 0.5)
    made = kit()
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            async with served.served(made) as (_, port):
                trickling, uploading = await small_window(port), await small_window(port)
                await trickling.send_all(b"GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n")
                await uploading.send_all(POST % (b"/read", 9, b"") + b"half")
                idle = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(50)]

                async def trickle() -> None:
                    while True:
                        await trickling.receive_some(512)
                        await trio.sleep(0.1)

                nursery.start_soon(trickle)
                await trio.sleep(0.5)
                began = trio.current_time()
            assert trio.current_time() < began + 15
            nursery.cancel_scope.cancel()
        for stream in (trickling, uploading, *idle):
            await trio.aclose_forcefully(stream)
    assert made.edge.open == 0 and made.edge.budget.held == 0
