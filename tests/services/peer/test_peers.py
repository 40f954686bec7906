"""Nodes that talk over real sockets: connections that come back, are replaced and outlive what ends one of them."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from itertools import pairwise

import pytest
import trio
import trustme

from lucid.machines.messages import MAX_MESSAGE_BYTES
from lucid.services.peer import incoming, outbox
from lucid.services.peer import peers as peers_module
from lucid.services.peer.dialing import ConnectionLost
from lucid.services.peer.peers import Peers
from tests.services.peer.acquainted import KEYS, transport
from tests.services.peer.answering import ANSWERS, answering
from tests.services.peer.sites import NOWHERE, Site, connected, known_to, listening, pair
from tests.services.peer.socks_proxy import socks_proxy
from tests.waiting import until


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


def test_bounds_of_memory() -> None:
    assert outbox.OUT_BYTES >= MAX_MESSAGE_BYTES, "the largest message fits"
    assert incoming.IN_BYTES >= MAX_MESSAGE_BYTES
