"""One connection between two nodes that know each other: messages both ways, bounded in memory, rate and silence."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial

import trio

from lucid.machines.messages import MAX_MESSAGE_BYTES
from lucid.services.peer.dialing import ConnectionLost
from lucid.services.peer.incoming import Incoming
from lucid.services.peer.outbox import Message, Outboxes
from lucid.services.peer.peerclock import PeerClock
from lucid.services.peer.sealed import PART_BYTES, FrameKind, SealedFrames
from lucid.services.peer.speaking import UNSAID, common, introduction, is_introduction, own, read_introduction

STALLED_S = 20.0
"""A peer that does not take one frame in so long is disconnected."""
PING_S = 10.0
SILENT_S = 30.0
"""A peer of which no frame comes in so long is disconnected; one that has nothing to say sends a ping."""
BYTES_PER_S = 8 << 20
MESSAGES_PER_S = 2_000
"""What one peer may send; more is read later, which holds it back."""
FRAME_COST_BYTES = 64
BURST_S = 1.0

PARTING_S = 2.0
"""How long a connection of no use lasts, so that both sides learn why."""

Deliver = Callable[[bytes, bytes, Callable[[], None]], Awaitable[None]]
"""Takes a peer's message, and what to call once it is handled."""


class Counts:
    """What went between this node and one peer since the start."""

    def __init__(self) -> None:
        self.received = self.sent = self.bytes_in = self.bytes_out = self.dropped = 0


class Conversation:
    """A connection with one peer. `put` never waits; `run` lasts until the connection is over."""

    def __init__(
        self, sealed: SealedFrames, outboxes: Outboxes, incoming: Incoming, deliver: Deliver, counts: Counts
    ) -> None:
        self._sealed = sealed
        self._outboxes = outboxes
        self._incoming = incoming
        self._deliver = deliver
        self._counts = counts
        self._outbox = outboxes.open(partial(self.end, "it takes less than it is sent, and others need the memory"))
        self._assembly = incoming.open(partial(self.end, "its message takes memory that others need"))
        self._scope = trio.CancelScope()
        self._why = ""
        self.speaks = UNSAID
        """What the peer says that it speaks and knows."""
        self.version = own().oldest
        """The version of the messages on this connection: the newest that both speak, once the peer has said which."""
        self._introduced = trio.Event()
        self.clock: PeerClock | None = None
        """What the peer's clock is, where it said so."""
        self._outbox.put(Message(introduction(time.time_ns() // 1_000_000)))

    def put(self, message: Message, bulk: bool = False) -> None:
        """Queue a message; a `bulk` one goes when nothing else waits."""
        before = self._outbox.dropped
        (self._outbox.put_bulk if bulk else self._outbox.put)(message)
        self._counts.dropped += self._outbox.dropped - before

    def end(self, why: str) -> None:
        """End the connection."""
        self._why = self._why or why
        self._scope.cancel()

    async def run(self) -> None:
        """Talk. Raises `ConnectionLost` (in a group) with why it is over."""
        self._sealed.accept_messages()
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._send)
                    await self._receive()
        finally:
            self._outboxes.close(self._outbox)
            self._incoming.close(self._assembly)
        raise ConnectionLost(self._why)

    async def _send(self) -> None:
        while True:
            data = await self._outbox.next(PING_S)
            if data is None:
                await self._send_frame(FrameKind.PING, b"")
                continue
            start = 0
            while len(data) - start > PART_BYTES:
                await self._send_frame(FrameKind.PART, data[start : start + PART_BYTES])
                start += PART_BYTES
            await self._send_frame(FrameKind.LAST, data[start:] if start else data)
            self._outbox.sent()
            if self._introduced.is_set():
                self._counts.sent += 1
                self._counts.bytes_out += len(data)
            self._introduced.set()

    async def _send_frame(self, kind: FrameKind, data: bytes) -> None:
        with trio.move_on_after(STALLED_S) as patience:
            await self._sealed.send(kind, data)
        if patience.cancelled_caught:
            raise ConnectionLost("the peer takes nothing")

    async def _receive(self) -> None:
        """Deliver what comes, no faster than a peer may send: while it is not read, it has to wait."""
        free_at = trio.current_time()
        while True:
            with trio.move_on_after(SILENT_S) as patience:
                kind, data = await self._sealed.receive()
            if patience.cancelled_caught:
                raise ConnectionLost(f"nothing came for {SILENT_S:.0f} s")
            cost_s = (len(data) + FRAME_COST_BYTES) / BYTES_PER_S + (kind != FrameKind.PART) / MESSAGES_PER_S
            free_at = max(free_at, trio.current_time() - BURST_S) + cost_s
            if free_at > trio.current_time():
                await trio.sleep_until(free_at)
            await self._on_frame(kind, data)

    async def _on_frame(self, kind: FrameKind, data: bytes) -> None:
        if kind == FrameKind.PROVEN:
            raise ConnectionLost("the peer proves itself twice")
        if kind not in (FrameKind.PART, FrameKind.LAST):
            return
        if self._assembly.size + len(data) > MAX_MESSAGE_BYTES:
            raise ConnectionLost(f"a message exceeds {MAX_MESSAGE_BYTES} bytes")
        self._assembly.add(data)
        if kind == FrameKind.LAST:
            await self._on_message(self._assembly.whole())

    async def _on_message(self, message: bytes) -> None:
        if is_introduction(message):
            await self._on_introduction(message)
            return
        self._counts.received += 1
        self._counts.bytes_in += len(message)
        size = len(message) + FRAME_COST_BYTES
        await self._incoming.enter(size)
        handled = partial(self._incoming.leave, size)
        try:
            await self._deliver(self._sealed.peer, message, handled)
        except BaseException:
            handled()
            raise

    async def _on_introduction(self, message: bytes) -> None:
        """The peer says what it speaks. Where there is nothing in common, it has a moment to learn that too."""
        self.speaks = read_introduction(message)
        if self.speaks.time_ms:
            self.clock = PeerClock(self.speaks.time_ms, self._sealed.began_s, time.monotonic())
        try:
            self.version = common(own(), self.speaks)
        except ConnectionLost:
            with trio.move_on_after(PARTING_S):
                await self._introduced.wait()
                await trio.sleep(PARTING_S / 2)
            raise
