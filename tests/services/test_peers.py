"""Nodes that talk over real sockets: handshakes that hold, peers that come back, and what a hostile one can't do."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.chain.codec import encode
from lucid.machines.messages import MAX_MESSAGE_BYTES
from lucid.poot.crypto import Edwards25519
from lucid.services import peers as peers_module
from lucid.services.handshake import Hello, Proof, SealedFrames, shake_hands
from lucid.services.peers import PATH, Peer, Peers, addresses
from lucid.services.socks import open_through
from lucid.services.websocket import ConnectionLost, WebSocket, open_websocket
from tests.services import served

CRYPTO = Edwards25519()
CHAIN = bytes(32)
SECRETS = sorted((bytes([number]) * 32 for number in range(1, 5)), key=CRYPTO.public_key)
KEYS = [CRYPTO.public_key(secret) for secret in SECRETS]

Got = list[tuple[bytes, bytes]]


class Pipe:
    """One end of a connection in memory."""

    def __init__(self) -> None:
        self.out, self._in = trio.open_memory_channel[bytes](100)
        self.tamper: Callable[[bytes], bytes] = lambda data: data
        self.other = self

    async def send(self, data: bytes) -> None:
        """See `Frames`."""
        await self.other.out.send(self.tamper(data))

    async def receive(self) -> bytes:
        """See `Frames`."""
        return await self._in.receive()


def pipe() -> tuple[Pipe, Pipe]:
    """Both ends."""
    one, other = Pipe(), Pipe()
    one.other, other.other = other, one
    return one, other


def keeping(seen: list[bytes]) -> Callable[[bytes], bytes]:
    """Lets all pass, and keeps it."""

    def keep(data: bytes) -> bytes:
        seen.append(data)
        return data

    return keep


async def shaken(
    one: Pipe,
    other: Pipe,
    secrets_: tuple[bytes, bytes] = (SECRETS[0], SECRETS[1]),
    chains: Any = (CHAIN, CHAIN),
    known: Any = None,
) -> list[SealedFrames | str]:
    """What both sides of a handshake end with."""
    ends: list[SealedFrames | str] = ["", ""]

    async def side(number: int, frames: Pipe) -> None:
        try:
            with trio.move_on_after(0.2):
                ends[number] = await shake_hands(
                    frames, number == 0, secrets_[number], chains[number], CRYPTO, known or (lambda node: True)
                )
        except ConnectionLost as lost:
            ends[number] = str(lost)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(side, 0, one)
        nursery.start_soon(side, 1, other)
    return ends


async def test_both_know_who_the_other_is_and_nobody_else_reads_along() -> None:
    one, other = pipe()
    seen: list[bytes] = []
    dialler, listener = await shaken(one, other)
    assert isinstance(dialler, SealedFrames) and isinstance(listener, SealedFrames)
    assert (dialler.peer, listener.peer) == (KEYS[1], KEYS[0])
    one.tamper = keeping(seen)
    for message in (b"", b"hello", bytes(100_000)):
        await dialler.send(message)
        assert await listener.receive() == message
        await listener.send(message + b"!")
        assert await dialler.receive() == message + b"!"
    assert not any(b"hello" in data for data in seen)


@pytest.mark.parametrize("what", ["flip", "repeat", "drop", "reflect", "cut"])
async def test_a_frame_that_is_not_the_next_one_ends_the_connection(what: str) -> None:
    one, other = pipe()
    dialler, listener = await shaken(one, other)
    assert isinstance(dialler, SealedFrames) and isinstance(listener, SealedFrames)
    kept: list[bytes] = []
    one.tamper = keeping(kept)
    await dialler.send(b"first")
    if what != "drop":
        assert await listener.receive() == b"first"
    else:
        await other._in.receive()
    one.tamper = lambda data: data
    if what == "flip":
        one.tamper = lambda data: data[:-1] + bytes([data[-1] ^ 1])
        await dialler.send(b"second")
    elif what == "repeat":
        await one.other.out.send(kept[0])
    elif what == "drop":
        await dialler.send(b"second")
    elif what == "cut":
        await one.other.out.send(b"short")
    else:
        await one.out.send(kept[0])
        with pytest.raises(ConnectionLost, match="next one"):
            await dialler.receive()
        return
    with pytest.raises(ConnectionLost, match="next one"):
        await listener.receive()


async def test_strangers_other_chains_and_impostors_are_turned_away() -> None:
    ends = await shaken(*pipe(), chains=(CHAIN, bytes(31) + b"\x01"))
    assert ends == ["the peer is of another chain"] * 2
    ends = await shaken(*pipe(), known=lambda node: node == KEYS[1])
    assert "no peer of this node" in str(ends[1])
    ends = await shaken(*pipe(), secrets_=(SECRETS[0], SECRETS[0]))
    assert all("no peer of this node" in str(end) for end in ends)


@pytest.mark.parametrize("part", [Hello, Proof])
async def test_a_man_in_the_middle_can_not_put_in_keys_of_his_own(part: type) -> None:
    one, other = pipe()
    count = 0

    def meddle(data: bytes) -> bytes:
        nonlocal count
        count += 1
        if count != (1 if part is Hello else 2):
            return data
        return data[:-1] + bytes([data[-1] ^ 1])

    one.tamper = meddle
    ends = await shaken(one, other)
    assert "does not hold the key" in str(ends[1])


@settings(deadline=None, max_examples=50)
@given(st.lists(st.binary(max_size=300), min_size=2, max_size=2))
def test_any_introduction_is_good_or_a_lost_connection(data: list[bytes]) -> None:
    async def main() -> None:
        one, other = pipe()
        for each in data:
            await one.other.out.send(each)
        with pytest.raises(ConnectionLost):
            await shake_hands(other, False, SECRETS[0], CHAIN, CRYPTO, lambda node: True)

    trio.run(main)


@settings(deadline=None, max_examples=20)
@given(st.binary(min_size=32, max_size=32))
def test_a_weak_exchange_key_is_turned_away_or_useless(exchange: bytes) -> None:
    hello = Hello(1, CHAIN, KEYS[1], secrets.token_bytes(32), exchange)

    async def main() -> None:
        one, other = pipe()
        await one.other.out.send(encode(hello))
        await one.other.out.send(encode(Proof(bytes(64))))
        with pytest.raises(ConnectionLost, match="does not hold the key"):
            await shake_hands(other, False, SECRETS[0], CHAIN, CRYPTO, lambda node: True)

    trio.run(main)


# -- over sockets ------------------------------------------------------------------------------------------------


class Site:
    """A node's peers, served for real."""

    def __init__(self, number: int, known: dict[bytes, str], proxy: str | None = None) -> None:
        self.got: Got = []
        self.hold: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint

        async def deliver(peer: bytes, data: bytes) -> None:
            await self.hold()
            self.got.append((peer, data))

        self.peers = Peers(CRYPTO, SECRETS[number], CHAIN, known, deliver, proxy)
        self.kit = served.web()

        @self.kit.lasting(PATH, lambda token: True)
        async def serve(frames: WebSocket) -> None:
            try:
                await self.peers.serve(frames)
            except* ConnectionLost:
                await frames.close()


@asynccontextmanager
async def pair(proxy: str | None = None) -> AsyncIterator[tuple[Site, Site]]:
    """Two nodes; the first one dials."""
    listener = Site(1, {KEYS[0]: "ws://127.0.0.1:1"})
    async with served.served(listener.kit) as (_, port), trio.open_nursery() as nursery:
        dialler = Site(0, {KEYS[1]: f"ws://127.0.0.1:{port}"}, proxy)
        nursery.start_soon(dialler.peers.run)
        await until(lambda: connected(dialler, listener))
        yield dialler, listener
        nursery.cancel_scope.cancel()


def connected(*sites: Site) -> bool:
    """Whether all their peers are."""
    return all(state.connected for site in sites for state in site.peers.states())


async def until(holds: Callable[[], bool]) -> None:
    """Wait, at most five seconds."""
    with trio.fail_after(5):
        while not holds():
            await trio.sleep(0.01)


async def test_messages_go_both_ways_in_order() -> None:
    async with pair() as (dialler, listener):
        sent = [bytes([number]) * number for number in range(200)]
        for data in sent:
            dialler.peers.send(KEYS[1], data)
            listener.peers.broadcast(data)
        dialler.peers.send(KEYS[3], b"nobody")
        await until(lambda: len(dialler.got) == len(listener.got) == len(sent))
        assert listener.got == [(KEYS[0], data) for data in sent]
        assert dialler.got == [(KEYS[1], data) for data in sent]
        [state] = dialler.peers.states()
        assert (state.node, state.messages_in, state.messages_out) == (KEYS[1].hex(), 200, 200)


async def test_the_largest_message_goes_through() -> None:
    async with pair() as (dialler, listener):
        data = bytes(MAX_MESSAGE_BYTES)
        dialler.peers.send(KEYS[1], data)
        listener.peers.send(KEYS[0], data)
        await until(lambda: len(dialler.got) == len(listener.got) == 1)
        assert dialler.got[0][1] == listener.got[0][1] == data


async def test_a_broken_connection_is_made_again() -> None:
    async with pair() as (dialler, listener):
        for _ in range(3):
            scope = listener.peers.peers[KEYS[0]].scope
            assert scope is not None
            scope.cancel()
            await until(lambda: listener.peers.peers[KEYS[0]].scope is not scope)  # noqa: B023
            await until(lambda: connected(dialler, listener))
        dialler.peers.send(KEYS[1], b"again")
        await until(lambda: listener.got == [(KEYS[0], b"again")])


async def test_a_peer_that_takes_nothing_costs_no_more_than_its_queue_and_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(peers_module, "STALLED_S", 0.5)
    monkeypatch.setattr(peers_module, "QUEUE_BYTES", 1 << 20)

    async with pair() as (dialler, listener):
        listener.hold = trio.sleep_forever
        peer = dialler.peers.peers[KEYS[1]]
        first = peer.scope
        for _ in range(600):
            dialler.peers.send(KEYS[1], bytes(100_000))
            assert peer._queued <= 1 << 20
            await trio.sleep(0.001)
        assert peer.dropped
        await until(lambda: peer.scope is not first)


def test_the_oldest_goes_first() -> None:
    peer = Peer(KEYS[0], "")
    peer.put(b"not connected")
    assert peer.take() is None
    peer.scope = trio.CancelScope()
    for number in range(peers_module.QUEUE_MESSAGES + 5):
        peer.put(number.to_bytes(4, "big"))
    assert peer.dropped == 5 and peer.take() == (5).to_bytes(4, "big")


async def test_a_flood_is_read_no_faster_than_a_peer_may_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers_module, "MESSAGES_PER_S", 100)
    async with pair() as (dialler, listener):
        for _ in range(2_000):
            dialler.peers.send(KEYS[1], b"x")
        await trio.sleep(1.0)
        assert 100 <= len(listener.got) <= 260, "a second's worth at once, then a hundred a second"


async def test_a_listener_gives_up_on_who_does_not_introduce_himself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers_module, "HANDSHAKE_S", 0.1)
    site = Site(1, {KEYS[0]: "ws://127.0.0.1:1"})
    async with served.served(site.kit) as (_, port), open_websocket(f"ws://127.0.0.1:{port}{PATH}") as socket:
        await socket.receive()
        with pytest.raises(ConnectionLost, match="closed"):
            await socket.receive()


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1/peer", "ftp://127.0.0.1/", "ws:///x"])
async def test_what_can_not_be_dialled_is_lost(url: str) -> None:
    with pytest.raises(ConnectionLost):
        async with open_websocket(url):
            pass


async def test_an_answer_that_is_no_websocket_is_lost() -> None:
    async with served.served(served.web()) as (_, port):
        for path in ("/health", "/nothing"):
            with pytest.raises(ConnectionLost):
                async with open_websocket(f"ws://127.0.0.1:{port}{path}"):
                    pass


# -- SOCKS5 ------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def socks_proxy(reply: int = 0) -> AsyncIterator[tuple[str, list[str]]]:
    """A small SOCKS5 server on loopback, and the names that it was asked for."""
    asked: list[str] = []

    async def exactly(stream: trio.SocketStream, count: int) -> bytes:
        data = b""
        while len(data) < count:
            data += await stream.receive_some(count - len(data))
        return data

    async def carry(source: trio.SocketStream, sink: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            async for data in source:
                await sink.send_all(data)
            await sink.send_eof()

    async def proxy(stream: trio.SocketStream) -> None:
        assert await exactly(stream, 3) == b"\x05\x01\x00"
        await stream.send_all(b"\x05\x00")
        assert await exactly(stream, 4) == b"\x05\x01\x00\x03"
        name = (await exactly(stream, (await exactly(stream, 1))[0])).decode()
        port = int.from_bytes(await exactly(stream, 2), "big")
        asked.append(f"{name}:{port}")
        await stream.send_all(bytes((5, reply, 0, 1)) + bytes(6))
        if reply:
            return
        async with await trio.open_tcp_stream(name, port) as other, trio.open_nursery() as nursery:
            nursery.start_soon(carry, stream, other)
            nursery.start_soon(carry, other, stream)

    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(
            lambda task_status: trio.serve_tcp(proxy, 0, host="127.0.0.1", task_status=task_status)
        )
        yield f"127.0.0.1:{listener.socket.getsockname()[1]}", asked
        nursery.cancel_scope.cancel()


async def test_peers_talk_through_a_socks5_proxy_that_looks_names_up() -> None:
    async with socks_proxy() as (address, asked), pair(address) as (dialler, listener):
        dialler.peers.send(KEYS[1], b"through")
        await until(lambda: listener.got == [(KEYS[0], b"through")])
        assert asked[0].startswith("127.0.0.1:")


async def test_what_a_proxy_refuses_is_named() -> None:
    async with socks_proxy(reply=5) as (address, _):
        with pytest.raises(OSError, match="connection refused"):
            await open_through(address, "peer.onion", 80)
        with pytest.raises(ConnectionLost, match="connection refused"):
            async with open_websocket("ws://peer.onion/peer", proxy=address):
                pass


def test_addresses_are_those_of_the_setting() -> None:
    setting = (f"{KEYS[0].hex()}@ws://a:1", f"{KEYS[1].hex()}@wss://b")
    assert addresses(setting) == {KEYS[0]: "ws://a:1", KEYS[1]: "wss://b"}
