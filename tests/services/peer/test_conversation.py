"""A connection between two nodes: messages both ways, bounded in size, memory, rate and silence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
import trio

from lucid.machines.messages import MAX_MESSAGE_BYTES
from lucid.services.peer import conversation
from lucid.services.peer.conversation import BURST_S, PING_S, SILENT_S, STALLED_S, Conversation, Counts
from lucid.services.peer.dialing import ConnectionLost
from lucid.services.peer.incoming import Incoming
from lucid.services.peer.outbox import Message, Outboxes
from lucid.services.peer.sealed import PART_BYTES, FrameKind, SealedFrames
from tests.services.peer.acquainted import KEYS, Wire, sealed_pair
from tests.services.peer.sites import NOWHERE, Site, known_to, listening, pair
from tests.waiting import until

# -- in memory and in virtual time -----------------------------------------------------------------------------------


class Held:
    """One end of a conversation, with node 0 at the other, which says only what the test has it say."""

    def __init__(self, sealed: SealedFrames) -> None:
        self.got: list[bytes] = []
        self.why: str | None = None
        self.hold: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint
        self.outboxes, self.incoming = Outboxes(), Incoming()
        self.talk = Conversation(sealed, self.outboxes, self.incoming, self.deliver, Counts())

    async def deliver(self, peer: bytes, data: bytes, handled: Callable[[], None]) -> None:
        """A machine that takes as long as the test has it."""
        assert peer == KEYS[0]
        await self.hold()
        self.got.append(data)
        handled()

    async def run(self) -> None:
        """Talk, and keep why it is over."""
        try:
            await self.talk.run()
        except* ConnectionLost as group:
            self.why = str(group.exceptions[0])

    def let_go(self) -> bool:
        """Whether nothing is held for it any more."""
        return self.outboxes.held == self.incoming.partial == self.incoming.whole == 0


@asynccontextmanager
async def held() -> AsyncIterator[tuple[Held, SealedFrames, Wire]]:
    """A conversation that runs, the frames of the other end, and the wire between."""
    peer, sealed, wire = await sealed_pair()
    one = Held(sealed)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one.run)
        yield one, peer, wire
        nursery.cancel_scope.cancel()
    assert one.let_go()


@pytest.mark.parametrize("kind", [FrameKind.LAST, FrameKind.PING, FrameKind.REKEY])
async def test_a_flood_is_read_no_faster_than_a_peer_may_send(
    kind: FrameKind, monkeypatch: pytest.MonkeyPatch, autojump_clock: object
) -> None:
    monkeypatch.setattr(conversation, "MESSAGES_PER_S", 100)
    async with held() as (one, peer, _):
        await trio.sleep(BURST_S)
        began = trio.current_time()
        for _ in range(300):
            await peer.send(kind)
            if kind == FrameKind.REKEY:
                peer._sends.advance()
        await peer.send(FrameKind.LAST, b"after it")
        while not one.got or one.got[-1] != b"after it":
            await trio.sleep(0.01)
            got = [data for data in one.got if not data]
            assert len(got) <= 100 * (BURST_S + trio.current_time() - began), "a burst, then a hundred a second"
        assert 301 / 100 - BURST_S <= trio.current_time() - began < 2.2
        assert len(one.got) == (301 if kind == FrameKind.LAST else 1), "nothing is lost"


async def test_bytes_are_read_no_faster_than_a_peer_may_send(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: object
) -> None:
    monkeypatch.setattr(conversation, "BYTES_PER_S", 10 * PART_BYTES)
    async with held() as (one, peer, _):
        await trio.sleep(BURST_S)
        began = trio.current_time()
        for _ in range(39):
            await peer.send(FrameKind.PART, bytes(PART_BYTES))
        await peer.send(FrameKind.LAST, b"end")
        await until(lambda: one.got)
        assert len(one.got[0]) == 39 * PART_BYTES + 3 and 2.8 < trio.current_time() - began < 3.2


async def test_a_peer_that_says_nothing_is_left_and_one_that_is_idle_is_not(autojump_clock: object) -> None:
    async with held() as (one, peer, _):
        kind, _ = await peer.receive()
        assert kind is FrameKind.LAST, "the introduction"
        began = trio.current_time()
        for _ in range(20):
            await trio.sleep(SILENT_S - 1)
            await peer.send(FrameKind.PING)
        assert one.why is None
        pings = int((trio.current_time() - began) / PING_S) - 1
        assert [(await peer.receive())[0] for _ in range(pings)] == [FrameKind.PING] * pings
        last = trio.current_time()
        await until(lambda: one.why, 2 * SILENT_S)
        assert one.why == "nothing came for 30 s" and SILENT_S - 0.1 <= trio.current_time() - last <= SILENT_S + 0.1


async def test_a_peer_that_takes_nothing_is_left(autojump_clock: object) -> None:
    async with held() as (one, peer, wire):
        wire.listener.send_stream.send_all_hook = trio.sleep_forever
        began = trio.current_time()
        one.talk.put(Message(b"x"))
        await peer.send(FrameKind.PING)
        await until(lambda: one.why)
        assert one.why == "the peer takes nothing"
        assert PING_S + STALLED_S > trio.current_time() - began >= STALLED_S - 0.1


async def test_what_ends_a_connection_is_said(autojump_clock: object) -> None:
    async with held() as (one, peer, _):
        await peer.send(FrameKind.PROVEN)
        await until(lambda: one.why)
        assert one.why == "the peer proves itself twice"
    async with held() as (one, peer, wire):
        await wire.dialer.aclose()
        await until(lambda: one.why)
        assert one.why == "the peer closed the connection"
    async with held() as (one, _, _):
        one.talk.end("first")
        one.talk.end("second")
        await until(lambda: one.why)
        assert one.why == "first"


async def test_a_message_that_is_too_long_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: object
) -> None:
    monkeypatch.setattr(conversation, "MAX_MESSAGE_BYTES", 2 * PART_BYTES)
    async with held() as (one, peer, _):
        await peer.send(FrameKind.PART, bytes(PART_BYTES))
        await peer.send(FrameKind.LAST, bytes(PART_BYTES))
        await until(lambda: one.got == [bytes(2 * PART_BYTES)])
        for _ in range(2):
            await peer.send(FrameKind.PART, bytes(PART_BYTES))
        await peer.send(FrameKind.LAST, b"x")
        await until(lambda: one.why)
        assert one.why == f"a message exceeds {2 * PART_BYTES} bytes" and len(one.got) == 1


@pytest.mark.parametrize("how", ["it raises", "cancelled"])
async def test_a_message_that_is_not_handled_holds_no_room(how: str, autojump_clock: object) -> None:
    async with held() as (one, peer, _):

        async def hold() -> None:
            if how == "it raises":
                raise ConnectionLost("as a test")
            await trio.sleep_forever()

        one.hold = hold
        await peer.send(FrameKind.LAST, bytes(1_000))
        await peer.send(FrameKind.PART, bytes(PART_BYTES))
        await trio.sleep(1)
        assert one.why == ("as a test" if how == "it raises" else None)
        assert one.let_go() is (how == "it raises")


# -- over real sockets -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES, MAX_MESSAGE_BYTES])
async def test_messages_of_any_size_go_through(size: int) -> None:
    async with pair() as (dialer, listener):
        data = bytes(range(256)) * (size // 256) + bytes(size % 256)
        dialer.peers.send(KEYS[1], data)
        listener.peers.send(KEYS[0], data)
        await until(lambda: len(dialer.got) == len(listener.got) == 1)
        assert dialer.got[0][1] == listener.got[0][1] == data


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
