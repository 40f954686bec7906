"""Nodes that talk over real sockets: peers that come back, and what a stranger or a hostile one cannot do."""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import pairwise
from typing import Any

import pytest
import trio
import trustme

from lucid.machines.messages import MAX_MESSAGE_BYTES
from lucid.services.peer import conversation, outbox, peerlistener
from lucid.services.peer import peers as peers_module
from lucid.services.peer.addresses import Address, peer_addresses
from lucid.services.peer.dialing import ConnectionLost, dial
from lucid.services.peer.frames import FrameStream
from lucid.services.peer.handshake import FRAME_BYTES, introduce
from lucid.services.peer.peerlistener import PeerListener
from lucid.services.peer.peers import Peers
from lucid.services.peer.sealed import PART_BYTES, FrameKind, SealedFrames
from lucid.services.web.serve import listen
from tests.services.peer.acquainted import CHAIN, CRYPTO, KEYS, acquaintances, transport
from tests.services.peer.socks_proxy import socks_proxy
from tests.services.peer.test_dialing import ANSWERS, answering
from tests.waiting import until

NOWHERE = "tcp://127.0.0.1:1"


class Site:
    """A node's peers, and what they said to it."""

    def __init__(self, number: int, known: dict[bytes, str], **more: Any) -> None:
        self.got: list[tuple[bytes, bytes]] = []
        self.hold: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint

        async def deliver(peer: bytes, data: bytes, handled: Callable[[], None]) -> None:
            await self.hold()
            self.got.append((peer, data))
            handled()

        self.peers = Peers(CRYPTO, KEYS[number], CHAIN, known, deliver, **more)
        self.peers.certify(transport(number))

    def of(self, number: int) -> peers_module.Peer:
        """What this node holds of another."""
        return self.peers.peers[KEYS[number]]


@asynccontextmanager
async def listening(site: Site, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, PeerListener]]:
    """A site that listens."""
    socket = listen("127.0.0.1", 0)
    port = socket.getsockname()[1]
    listener = PeerListener(site.peers, tls)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(listener.run, socket)
        yield port, listener
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def pair(proxy: str | None = None) -> AsyncIterator[tuple[Site, Site]]:
    """Two nodes; the first one dials."""
    site = Site(1, {KEYS[0]: NOWHERE})
    async with listening(site) as (port, _), trio.open_nursery() as nursery:
        dialer = Site(0, {KEYS[1]: f"tcp://127.0.0.1:{port}"}, proxy=proxy)
        nursery.start_soon(dialer.peers.run)
        await until(lambda: connected(dialer, site))
        yield dialer, site
        nursery.cancel_scope.cancel()


def connected(*sites: Site) -> bool:
    """Whether all their peers are."""
    return all(state.connected for site in sites for state in site.peers.states())


@asynccontextmanager
async def known_to(port: int, number: int = 0, listener: int = 1) -> AsyncIterator[SealedFrames]:
    """A connection made by hand as a node that is known there."""
    frames = FrameStream(await dial(Address("127.0.0.1", port, False)), FRAME_BYTES)
    try:
        sealed = await introduce(frames, transport(number), KEYS[listener], acquaintances(listener))
        sealed.accept_messages()
        yield sealed
    finally:
        await frames.close()


async def test_each_side_hears_of_a_connection_before_what_comes_over_it() -> None:
    heard: list[tuple[str, bytes]] = []

    def joined(side: str) -> Callable[[bytes], Awaitable[None]]:
        async def note(peer: bytes) -> None:
            heard.append((side, peer))

        return note

    site = Site(1, {KEYS[0]: NOWHERE}, joined=joined("listens"))
    async with listening(site) as (port, _), trio.open_nursery() as nursery:
        dialer = Site(0, {KEYS[1]: f"tcp://127.0.0.1:{port}"}, joined=joined("dials"))
        nursery.start_soon(dialer.peers.run)
        await until(lambda: len(heard) == 2)
        first = dialer.of(1).conversation
        assert first is not None
        first.end("to see it made anew")
        await until(lambda: len(heard) == 4)
        nursery.cancel_scope.cancel()
    assert sorted(heard) == sorted(2 * [("listens", KEYS[0]), ("dials", KEYS[1])])


@pytest.mark.parametrize(("lasts_s", "longest_s"), [(5.0, 0.2), (0.5, 30.0), (0.0, 30.0)])
async def test_who_lost_a_connection_that_lasted_dials_again_at_once(
    lasts_s: float, longest_s: float, monkeypatch: pytest.MonkeyPatch, autojump_clock: object
) -> None:
    began: list[float] = []

    async def once(self: Peers, peer: peers_module.Peer) -> None:
        began.append(trio.current_time())
        await trio.sleep(lasts_s)
        peer.lasted_s = lasts_s
        raise ConnectionLost("it broke")

    monkeypatch.setattr(Peers, "_once", once)
    with trio.move_on_after(600):
        await Site(0, {KEYS[1]: NOWHERE}).peers.run()
    waits_s = [after - before - lasts_s for before, after in pairwise(began)]
    assert longest_s / 2 <= max(waits_s) <= longest_s, "a peer that is not there is dialed ever less often"


async def test_messages_go_both_ways_in_order() -> None:
    async with pair() as (dialer, listener):
        sent = [bytes([number]) * number for number in range(200)]
        for data in sent:
            dialer.peers.send(KEYS[1], data)
            listener.peers.broadcast(data)
        dialer.peers.send(KEYS[3], b"nobody")
        await until(lambda: len(dialer.got) == len(listener.got) == len(sent))
        assert listener.got == [(KEYS[0], data) for data in sent]
        assert dialer.got == [(KEYS[1], data) for data in sent]
        [state] = dialer.peers.states()
        assert (state.node, state.messages_in, state.messages_out) == (KEYS[1].hex(), 200, 200)


@pytest.mark.parametrize("size", [PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES, MAX_MESSAGE_BYTES])
async def test_messages_of_any_size_go_through(size: int) -> None:
    async with pair() as (dialer, listener):
        data = bytes(range(256)) * (size // 256) + bytes(size % 256)
        dialer.peers.send(KEYS[1], data)
        listener.peers.send(KEYS[0], data)
        await until(lambda: len(dialer.got) == len(listener.got) == 1)
        assert dialer.got[0][1] == listener.got[0][1] == data


async def test_a_broken_connection_is_made_again() -> None:
    async with pair() as (dialer, listener):
        for _ in range(3):
            held = listener.of(0).conversation
            assert held is not None
            held.end("for the test")
            await until(lambda: listener.of(0).conversation not in (held, None))  # noqa: B023
            await until(lambda: connected(dialer, listener))
        dialer.peers.send(KEYS[1], b"again")
        await until(lambda: listener.got == [(KEYS[0], b"again")])


async def test_a_newer_connection_takes_over_and_a_stranger_can_not_make_it() -> None:
    async with pair() as (_, listener), listening(listener) as (port, _):
        held = listener.of(0).conversation
        for hello in (b"", b"GET / HTTP/1.1\r\n\r\n", bytes(200)):
            with suppress(trio.BrokenResourceError):
                async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                    await stream.send_all(hello)
                    await trio.sleep(0.05)
        assert listener.of(0).conversation is held
        async with known_to(port):
            await until(lambda: listener.of(0).conversation is not held)


async def test_a_peer_that_takes_nothing_costs_no_more_than_the_budget_and_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(conversation, "STALLED_S", 0.5)
    async with pair() as (dialer, listener):
        dialer.peers._outboxes.limit = 1 << 20
        listener.hold = trio.sleep_forever
        peer = dialer.of(1)
        first = peer.conversation
        for _ in range(600):
            dialer.peers.send(KEYS[1], bytes(100_000))
            assert dialer.peers._outboxes.held <= 1 << 20
            await trio.sleep(0.001)
        assert peer.counts.dropped
        await until(lambda: peer.conversation is not first)


async def test_one_slow_peer_costs_the_others_nothing() -> None:
    async with AsyncExitStack() as stack:
        nursery = await stack.enter_async_context(trio.open_nursery())
        sites = [Site(number, {KEYS[0]: NOWHERE}) for number in (1, 2)]
        ports = [(await stack.enter_async_context(listening(site)))[0] for site in sites]
        dialer = Site(0, {KEYS[n]: f"tcp://127.0.0.1:{port}" for n, port in zip((1, 2), ports, strict=True)})
        nursery.start_soon(dialer.peers.run)
        await until(lambda: connected(dialer))
        sites[0].hold = trio.sleep_forever
        dialer.peers._outboxes.limit = 1 << 20
        for _ in range(200):
            dialer.peers.send(KEYS[1], bytes(100_000))
        for number in range(50):
            dialer.peers.broadcast(bytes([number]))
        await until(lambda: len(sites[1].got) == 50)
        assert dialer.of(1).counts.dropped and not dialer.of(2).counts.dropped
        nursery.cancel_scope.cancel()


async def test_a_flood_is_read_no_faster_than_a_peer_may_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "MESSAGES_PER_S", 100)
    async with pair() as (dialer, listener):
        began = trio.current_time()
        for _ in range(2_000):
            dialer.peers.send(KEYS[1], b"x")
        await until(lambda: len(listener.got) >= 200)
        got, took_s = len(listener.got), trio.current_time() - began
        assert got <= 100 + 100 * took_s + 10, "a second's worth at once, then a hundred a second"


@pytest.mark.parametrize("kind", [FrameKind.PING, FrameKind.REKEY])
async def test_a_flood_of_frames_without_messages_is_held_back_too(
    kind: FrameKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "MESSAGES_PER_S", 100)
    site = Site(1, {KEYS[0]: NOWHERE})
    async with listening(site) as (port, _), known_to(port) as sealed:
        for _ in range(300):
            await sealed.send(kind)
            if kind == FrameKind.REKEY:
                sealed._sends.advance()
        await sealed.send(FrameKind.LAST, b"after it")
        await trio.sleep(0.5)
        assert not site.got
        await until(lambda: site.got == [(KEYS[0], b"after it")])


async def test_messages_that_never_end_are_bounded_together() -> None:
    """Peers that are known and hostile: each begins a message of many megabytes and does not end it."""
    site = Site(3, dict.fromkeys(KEYS[:3], NOWHERE))
    site.peers._incoming.limit = 1 << 20
    async with listening(site) as (port, _), AsyncExitStack() as stack:
        hogs = [await stack.enter_async_context(known_to(port, number, 3)) for number in range(3)]
        for _ in range(12):
            for hog in hogs:
                with suppress(ConnectionLost):
                    await hog.send(FrameKind.PART, bytes(PART_BYTES))
            await trio.sleep(0.01)
            assert site.peers._incoming.partial <= 1 << 20
        await until(lambda: 0 < sum(state.connected for state in site.peers.states()) < 3)


async def test_a_message_that_is_too_long_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "MAX_MESSAGE_BYTES", 2 * PART_BYTES)
    site = Site(1, {KEYS[0]: NOWHERE})
    async with listening(site) as (port, _), known_to(port) as sealed:
        for _ in range(3):
            await sealed.send(FrameKind.PART, bytes(PART_BYTES))
        with pytest.raises(ConnectionLost):
            while True:
                await sealed.receive()
        assert "exceeds" in site.of(0).trouble


async def test_a_peer_that_says_nothing_is_left_and_one_that_is_idle_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "SILENT_S", 4.0)
    monkeypatch.setattr(conversation, "PING_S", 0.2)
    async with pair() as (dialer, _):
        held = dialer.of(1).conversation
        await trio.sleep(4.6)
        assert dialer.of(1).conversation is held is not None
    site = Site(1, {KEYS[0]: NOWHERE})
    async with listening(site) as (port, _), known_to(port):
        await until(lambda: "nothing came" in site.of(0).trouble)


async def test_what_a_machine_raises_ends_one_connection_and_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    async with pair() as (dialer, listener):

        async def fail() -> None:
            raise AssertionError("odd\nline")

        listener.hold = fail
        with caplog.at_level(logging.INFO):
            dialer.peers.send(KEYS[1], b"x")
            await until(lambda: listener.peers.failures == 1)
        listener.hold = trio.lowlevel.checkpoint
        await until(lambda: connected(dialer, listener))
        [line] = [each.getMessage() for each in caplog.records if "odd" in each.getMessage()]
        assert "\n" not in line


# -- strangers ---------------------------------------------------------------------------------------------------


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


async def test_unproven_connections_are_bounded_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = iter(f"192.0.2.{number}" for number in range(1, 255))
    monkeypatch.setattr(peerlistener, "_network", lambda stream: next(addresses))
    site = Site(1, {KEYS[0]: NOWHERE})
    async with listening(site) as (port, listener), AsyncExitStack() as stack:
        for _ in range(100):
            await stack.enter_async_context(await trio.open_tcp_stream("127.0.0.1", port))
        await until(lambda: listener.turned_away >= 100 - peerlistener.MAX_UNPROVEN)
        assert listener.unproven == peerlistener.MAX_UNPROVEN
        async with known_to(port):
            await until(lambda: connected(site))


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
async def test_whatever_the_dialed_end_answers_the_dialer_goes_on(answer: bytes) -> None:
    async with answering(answer) as port, trio.open_nursery() as nursery:
        dialer = Site(0, {KEYS[1]: f"tcp://127.0.0.1:{port}"})
        nursery.start_soon(dialer.peers.run)
        await until(lambda: dialer.of(1).trouble not in ("", "not connected yet"))
        assert not dialer.peers.failures
        nursery.cancel_scope.cancel()


async def test_without_a_certificate_nobody_is_dialed_or_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers_module, "HANDSHAKE_S", 0.2)
    site = Site(1, {KEYS[0]: NOWHERE})
    site.peers._transport, site.peers._certified = None, trio.Event()
    async with listening(site) as (port, _):
        with pytest.raises(ConnectionLost):
            async with known_to(port):
                pass
        site.peers.certify(transport(1))
        async with known_to(port):
            await until(lambda: connected(site))


async def test_a_connection_is_made_anew_before_it_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers_module, "RENEW_S", 0.2)
    async with pair() as (dialer, listener):
        held = dialer.of(1).conversation
        await until(lambda: dialer.of(1).conversation not in (held, None) and connected(listener))


# -- ways ----------------------------------------------------------------------------------------------------------


async def test_peers_talk_through_a_socks5_proxy_that_looks_names_up() -> None:
    async with socks_proxy() as (address, asked), pair(address) as (dialer, listener):
        dialer.peers.send(KEYS[1], b"through")
        await until(lambda: listener.got == [(KEYS[0], b"through")])
        assert asked[0].startswith("127.0.0.1:")


async def test_peers_talk_over_tls_where_it_is_set() -> None:
    authority = trustme.CA()
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(served)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    site = Site(1, {KEYS[0]: NOWHERE})
    async with listening(site, served) as (port, _), trio.open_nursery() as nursery:
        dialer = Site(0, {KEYS[1]: f"tls://127.0.0.1:{port}"}, trust=trust)
        nursery.start_soon(dialer.peers.run)
        dialer.peers.send(KEYS[1], b"lost: not connected yet")
        await until(lambda: connected(dialer, site))
        dialer.peers.send(KEYS[1], bytes(300_000))
        await until(lambda: site.got == [(KEYS[0], bytes(300_000))])
        plain = Site(0, {KEYS[1]: f"tcp://127.0.0.1:{port}"})
        nursery.start_soon(plain.peers.run)
        await until(lambda: plain.of(1).trouble not in ("", "not connected yet"))
        nursery.cancel_scope.cancel()


def test_addresses_are_those_of_the_setting() -> None:
    setting = (f"{KEYS[0].hex()}@tcp://a:1", f"{KEYS[1].hex()}@tls://b:2")
    assert peer_addresses(setting) == {KEYS[0]: "tcp://a:1", KEYS[1]: "tls://b:2"}


def test_bounds_of_memory() -> None:
    assert outbox.OUT_BYTES >= MAX_MESSAGE_BYTES, "the largest message fits"
    assert outbox.IN_BYTES >= MAX_MESSAGE_BYTES
