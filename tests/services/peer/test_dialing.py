"""Dialing: whatever the far end, its name or a proxy answers, the one who dialed lives and says why in one line."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import trio
import trustme

from lucid.services.peer import dialing
from lucid.services.peer.addresses import Address, parse_address, unusable_peer
from lucid.services.peer.dialing import ConnectionLost, dial
from lucid.services.web.websocket import open_websocket
from tests.services.peer.socks_proxy import socks_proxy
from tests.services.web import served

UPGRADE = b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
ANSWERS = {
    "nothing": b"",
    "not http": b"\x00\xff\x16\x03",
    "a header byte above 0x7f": UPGRADE + b"Sec-WebSocket-Protocol: \xff\r\n\r\n",
    "an extension of odd bytes": UPGRADE + b"Sec-WebSocket-Extensions: \xff\xfe\r\n\r\n",
    "a status of odd bytes": b"HTTP/1.1 101 \xff\xff\r\nUpgrade: \xff\r\n\r\n",
    "a wrong accept": UPGRADE + b"Sec-WebSocket-Accept: eA==\r\n\r\n",
    "an accept of odd bytes": UPGRADE + b"Sec-WebSocket-Accept: \xff\r\n\r\n",
    "endless headers": b"HTTP/1.1 101 X\r\n" + b"A: " + b"a" * 200_000,
    "a refusal with odd bytes": b"HTTP/1.1 403 \xe9\r\nContent-Length: \xff\r\n\r\n",
    "a redirect": b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
    "two informational ones": b"HTTP/1.1 100 X\r\n\r\nHTTP/1.1 102 X\r\n\r\n",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
}


@asynccontextmanager
async def answering(data: bytes, wait_s: float = 0.0) -> AsyncIterator[int]:
    """A port that answers whatever it is told with `data` and closes."""

    async def answer(stream: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await stream.receive_some(4_096)
            await stream.send_all(data)
            await trio.sleep(wait_s)
        await trio.aclose_forcefully(stream)

    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(
            lambda task_status: trio.serve_tcp(answer, 0, host="127.0.0.1", task_status=task_status)
        )
        yield listener.socket.getsockname()[1]
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
async def test_whatever_answers_an_upgrade_is_a_lost_connection(answer: bytes) -> None:
    async with answering(answer) as port:
        with trio.fail_after(60), pytest.raises(ConnectionLost) as lost:
            async with open_websocket(f"ws://127.0.0.1:{port}/node/engine"):
                pass
        assert str(lost.value).isprintable()


@pytest.mark.parametrize("frames", [b"\xff" * 20, b"\x81\x01x", b"\x82\x7f" + b"\xff" * 8, b"\x88\x03\x03\xe8\xff"])
async def test_whatever_an_open_websocket_says_is_a_lost_connection(frames: bytes) -> None:
    """The accept that a client wants depends on its key, so a server of wsproto's says it, and then the odd frames."""
    from wsproto import ConnectionType, WSConnection  # noqa: PLC0415
    from wsproto.events import AcceptConnection  # noqa: PLC0415

    async def serve(stream: trio.SocketStream) -> None:
        server = WSConnection(ConnectionType.SERVER)
        server.receive_data(bytes(await stream.receive_some(4_096)))
        list(server.events())
        with suppress(trio.BrokenResourceError):
            await stream.send_all(server.send(AcceptConnection()) + frames)
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(
            lambda task_status: trio.serve_tcp(serve, 0, host="127.0.0.1", task_status=task_status)
        )
        port = listener.socket.getsockname()[1]
        with trio.fail_after(60), pytest.raises(ConnectionLost) as lost:
            async with open_websocket(f"ws://127.0.0.1:{port}/") as opened:
                while True:
                    await opened.receive()
        assert str(lost.value).isprintable()
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    "url",
    [
        "ws://127.0.0.1:1/peer",
        "ftp://127.0.0.1/",
        "ws:///x",
        "ws://[::1",
        "ws://h:99999/",
        "ws://h:x/",
        f"ws://{'a' * 64}.example/",
        "ws://a..b/",
        "ws://\udcff/",
        "ws://a\x00b/",
        "ws://user@h/",
        "",
    ],
)
async def test_what_can_not_be_dialed_is_lost(url: str) -> None:
    with trio.fail_after(60), pytest.raises(ConnectionLost):
        async with open_websocket(url):
            pass


@pytest.mark.parametrize(
    "raised",
    [
        socket.gaierror(-2, "Name or service not known"),
        UnicodeError("label too long"),
        OSError(101, "Network is unreachable"),
        ValueError("embedded null character"),
        OverflowError("port must be 0-65535"),
        MemoryError(),
    ],
)
async def test_whatever_the_resolver_raises_is_lost(raised: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise raised

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(ConnectionLost):
        await dial(Address("some.host", 1, False))


async def test_resolvers_that_hang_take_no_thread_from_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading  # noqa: PLC0415

    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(10))
    monkeypatch.setattr(dialing, "OPEN_S", 0.2)

    async def one() -> None:
        with pytest.raises(ConnectionLost, match="does not answer"):
            await dial(Address("some.host", 1, False))

    limiter = trio.to_thread.current_default_thread_limiter()
    try:
        async with trio.open_nursery() as nursery:
            for _ in range(60):
                nursery.start_soon(one)
            await trio.sleep(0.1)
            assert limiter.borrowed_tokens == 0
    finally:
        release.set()


async def test_a_host_with_a_dead_address_is_reached_at_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering(b"") as port:
        places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in ("127.0.0.2", "127.0.0.1")]
        real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", lambda host, *a, **k: places if host == "x" else real(host, *a, **k))
        stream = await dial(Address("x", port, False))
        await stream.aclose()


async def test_being_cancelled_stays_what_it_is() -> None:
    async with answering(b"HTTP/1.1 ", wait_s=60) as port:
        with trio.move_on_after(0.2) as scope:
            async with open_websocket(f"ws://127.0.0.1:{port}/") as opened:
                await opened.receive()
        assert scope.cancelled_caught
    with trio.CancelScope() as gone:
        gone.cancel()
        await dial(Address("127.0.0.1", 1, False))
    assert gone.cancelled_caught


# -- TLS ---------------------------------------------------------------------------------------------------------


def context(authority: trustme.CA) -> ssl.SSLContext:
    """What a client that trusts an authority checks by."""
    made = ssl.create_default_context()
    authority.configure_trust(made)
    return made


@asynccontextmanager
async def answering_tls(leaf: trustme.LeafCert) -> AsyncIterator[int]:
    """A TLS port."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(made)

    async def answer(stream: trio.SSLStream[trio.SocketStream]) -> None:
        with suppress(trio.BrokenResourceError, ssl.SSLError):
            await stream.do_handshake()
            await stream.receive_some(100)

    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(
            lambda task_status: trio.serve_ssl_over_tcp(answer, 0, made, host="127.0.0.1", task_status=task_status)
        )
        yield listener.transport_listener.socket.getsockname()[1]
        nursery.cancel_scope.cancel()


async def test_tls_that_does_not_hold_is_lost() -> None:
    authority, other = trustme.CA(), trustme.CA()
    async with answering_tls(authority.issue_cert("127.0.0.1")) as port:
        stream = await dial(Address("127.0.0.1", port, True), context(authority))
        await trio.aclose_forcefully(stream)
        with pytest.raises(ConnectionLost, match=r"certificate|CERTIFICATE"):
            await dial(Address("127.0.0.1", port, True), context(other))
    async with answering_tls(authority.issue_cert("elsewhere.example")) as port:
        with pytest.raises(ConnectionLost, match=r"certificate|CERTIFICATE"):
            await dial(Address("127.0.0.1", port, True), context(authority))
    for answer in (b"", b"HTTP/1.1 400 Bad\r\n\r\n", bytes(100), b"\x15\x03\x03\x00\x02\x02\x28"):
        async with answering(answer) as port:
            with pytest.raises(ConnectionLost):
                await dial(Address("127.0.0.1", port, True), context(authority))


# -- SOCKS5 ------------------------------------------------------------------------------------------------------

PROXIES = {
    "closes": b"",
    "wrong version": b"\x04\x00",
    "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "wants a password": b"\x05\x02",
    "accepts nothing": b"\x05\xff",
    "half an answer": b"\x05\x00\x05\x00",
    "another version in the answer": b"\x05\x00\x04\x00\x00\x01" + bytes(6),
    "a type that does not exist": b"\x05\x00\x05\x00\x00\x02" + bytes(6),
    "a refusal of no known number": b"\x05\x00\x05\xee\x00\x01" + bytes(6),
    "a refusal": b"\x05\x00\x05\x05\x00\x01" + bytes(6),
    "a name cut short": b"\x05\x00\x05\x00\x00\x03\xffabc",
}


@pytest.mark.parametrize("answer", PROXIES.values(), ids=PROXIES.keys())
async def test_whatever_a_proxy_answers_is_a_lost_connection(answer: bytes) -> None:
    async with answering(answer) as port:
        with trio.fail_after(60), pytest.raises(ConnectionLost, match="proxy"):
            await dial(Address("peer.onion", 80, False), proxy=f"127.0.0.1:{port}")


@pytest.mark.parametrize("host", ["a" * 300, "a..b", "é" * 80, "x" * 64])
async def test_names_that_no_proxy_takes_are_lost(host: str) -> None:
    async with answering(b"\x05\x00") as port:
        with trio.fail_after(60), pytest.raises(ConnectionLost):
            await dial(Address(host, 80, False), proxy=f"127.0.0.1:{port}")


@pytest.mark.parametrize("proxy", ["127.0.0.1:1", "no.such.host.invalid:1", "x:0", "127.0.0.1:99999", "127.0.0.1:x"])
async def test_a_proxy_that_is_not_there_is_a_lost_connection(proxy: str) -> None:
    with trio.fail_after(60), pytest.raises(ConnectionLost):
        await dial(Address("peer.onion", 80, False), proxy=proxy)


async def test_a_proxy_is_asked_for_the_name_and_names_what_it_refuses() -> None:
    async with socks_proxy(reply=5) as (address, asked):
        with pytest.raises(ConnectionLost, match=r"proxy .*: it cannot reach peer\.onion: connection refused"):
            await dial(Address("peer.onion", 80, False), proxy=address)
        assert asked == ["peer.onion:80"]


async def test_an_answer_that_is_no_websocket_is_lost() -> None:
    async with served.served(served.web()) as (_, port):
        for path in ("/health", "/nothing"):
            with pytest.raises(ConnectionLost):
                async with open_websocket(f"ws://127.0.0.1:{port}{path}"):
                    pass


# -- addresses ---------------------------------------------------------------------------------------------------

NODE = "ab" * 32


@pytest.mark.parametrize("url", ["tcp://127.0.0.1:8088", "tls://pi1.example:8088", "tcp://[::1]:1", "tcp://x.onion:80"])
def test_addresses_of_peers(url: str) -> None:
    assert unusable_peer(f"{NODE}@{url}") == ""
    assert parse_address(url, "tcp", "tls").secure == url.startswith("tls")


@pytest.mark.parametrize(
    ("peer", "why"),
    [
        (f"{NODE}@ws://127.0.0.1:8086", "WebSocket"),
        (f"{NODE}@wss://h", "WebSocket"),
        (f"{NODE}@http://h:1", "must start with tcp:// or tls://"),
        (f"{NODE}@tcp://h", "names no port"),
        (f"{NODE}@tcp://h:0", "names no port"),
        (f"{NODE}@tcp://h:65536", "out of range"),
        (f"{NODE}@tcp://:8088", "names no host"),
        (f"{NODE}@tcp://{'a' * 64}:8088", "looked up"),
        (f"{NODE[1:]}@tcp://h:1", "64 hexadecimal digits"),
        (f"{NODE.upper()}@tcp://h:1", "64 hexadecimal digits"),
        ("", "64 hexadecimal digits"),
    ],
)
def test_what_is_not_a_peer_is_told_what_to_write(peer: str, why: str) -> None:
    said = unusable_peer(peer)
    assert why in said and "NODE-ID@tcp://HOST:8088" in said
