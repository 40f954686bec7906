"""The port for other nodes: strangers hear nothing, are few, and cost those who are known nothing."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack, suppress

import pytest
import trio

from lucid.services.peer import peerlistener
from lucid.services.peer.dialing import ConnectionLost
from lucid.services.peer.sealed import FrameKind
from tests.services.peer.acquainted import KEYS
from tests.services.peer.sites import NOWHERE, Site, connected, known_to, listening
from tests.waiting import until


@pytest.mark.parametrize(
    "sent", [b"", b"\x00", bytes(4), b"\xff" * 100, b"GET /peer HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01"]
)
async def test_strangers_hear_nothing(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peerlistener, "HANDSHAKE_S", 0.3)
    site = Site(1, {KEYS[0]: NOWHERE})
    async with listening(site) as (port, listener):
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(sent)
            answer = b""
            with trio.fail_after(60), suppress(trio.BrokenResourceError):
                answer = bytes(await stream.receive_some())
            assert answer == b""
        await until(lambda: listener.turned_away == 1 and listener.unproven == 0)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection is given up because the machine is slow."""
    monkeypatch.setattr(peerlistener, "HANDSHAKE_S", 600.0)


@pytest.mark.usefixtures("unhurried")
async def test_unproven_connections_are_few_and_the_oldest_makes_room(caplog: pytest.LogCaptureFixture) -> None:
    site = Site(1, {KEYS[0]: NOWHERE})
    async with listening(site) as (port, listener), AsyncExitStack() as stack:
        with caplog.at_level(logging.INFO):
            for _ in range(100):
                await stack.enter_async_context(await trio.open_tcp_stream("127.0.0.1", port))
            await until(lambda: listener.turned_away >= 100 - peerlistener.MAX_UNPROVEN_PER_ADDRESS)
        assert listener.unproven == peerlistener.MAX_UNPROVEN_PER_ADDRESS
        assert len([each for each in caplog.records if "proved nothing" in each.getMessage()]) == 1
        async with known_to(port):
            await until(lambda: connected(site))


@pytest.mark.usefixtures("unhurried")
async def test_unproven_connections_are_bounded_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = iter(f"192.0.2.{number}" for number in range(1, 255))
    monkeypatch.setattr(peerlistener, "network", lambda address: next(addresses))
    site = Site(1, {KEYS[0]: NOWHERE})
    async with listening(site) as (port, listener), AsyncExitStack() as stack:
        for _ in range(100):
            await stack.enter_async_context(await trio.open_tcp_stream("127.0.0.1", port))
        await until(lambda: listener.turned_away >= 100 - peerlistener.MAX_UNPROVEN)
        assert listener.unproven == peerlistener.MAX_UNPROVEN
        async with known_to(port):
            await until(lambda: connected(site))


@pytest.mark.usefixtures("unhurried")
async def test_who_has_proven_itself_is_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peerlistener, "MAX_UNPROVEN_PER_ADDRESS", 1)
    site = Site(1, {KEYS[0]: NOWHERE})
    async with listening(site) as (port, listener), known_to(port) as sealed:
        await until(lambda: connected(site))
        assert listener.unproven == 0
        async with await trio.open_tcp_stream("127.0.0.1", port), await trio.open_tcp_stream("127.0.0.1", port):
            await until(lambda: listener.turned_away == 1 and listener.unproven == 1)
            await sealed.send(FrameKind.LAST, b"heard")
            await until(lambda: site.got == [(KEYS[0], b"heard")])


async def test_what_a_stranger_makes_it_say_is_one_line_of_text(caplog: pytest.LogCaptureFixture) -> None:
    site = Site(1, {KEYS[0]: NOWHERE})

    async def prove(frames: object) -> object:
        raise RuntimeError("odd\n\x1b[2Jline")

    site.peers.prove = prove  # type: ignore[method-assign, assignment]
    async with listening(site) as (port, listener):
        with caplog.at_level(logging.INFO):
            async with await trio.open_tcp_stream("127.0.0.1", port):
                await until(lambda: listener.turned_away == 1)
    assert [each.getMessage() for each in caplog.records if each.name == "lucid.peers"] == [
        r"1 connections proved nothing; the last one: the dialer: RuntimeError odd\n\x1b[2Jline"
    ]


async def test_with_its_end_all_connections_end() -> None:
    site = Site(1, {KEYS[0]: NOWHERE})
    async with AsyncExitStack() as stack:
        async with listening(site) as (port, listener):
            stranger = await stack.enter_async_context(await trio.open_tcp_stream("127.0.0.1", port))
            sealed = await stack.enter_async_context(known_to(port))
            await until(lambda: connected(site) and listener.unproven == 1)
        with trio.fail_after(60), suppress(trio.BrokenResourceError):
            assert await stranger.receive_some() == b""
        with trio.fail_after(60), pytest.raises(ConnectionLost):
            while True:
                await sealed.receive()
        assert listener.unproven == 0 and not connected(site)
