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
from lucid.services.peer.addresses import Address
from lucid.services.peer.dialing import ConnectionLost, dial
from tests.services.peer.answering import answering


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
    with pytest.raises(ConnectionLost) as lost:
        await dial(Address("some.host", 1, False))
    assert lost.value.plain == "it cannot be reached", "the rest is for the log"


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
