"""The connection between a node's engine and its manager: events as the machines encode them, one a frame.

It begins with the engine's greeting (`linkgreeting`). Beside the machines' events the services themselves say: that
they are alive, and what the manager wants the engine to certify.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

import trio

from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import Refusal
from lucid.machines.effects import Forward
from lucid.services.peer.dialing import ConnectionLost
from lucid.services.peer.linkmessages import Direction, Heartbeat

PATH = "/node/engine"
MAX_WAITING = 20_000
"""Events that wait to be sent; a connection that falls so far behind is given up."""
BEAT_S = 1.0
"""Each side says so often that it is alive."""
SILENT_S = 3.0
"""A side of which nothing came for so long is not well: /health says so."""
GIVEN_UP_S = 20.0
"""After so long the connection is given up. Much later, since its end is the end of the engine's life."""

Answers = Mapping[type[Record], Callable[[Any], Awaitable[None]]]


class Frames(Protocol):
    """An open WebSocket, seen from either end."""

    async def send(self, data: bytes) -> None:
        """Send one frame."""
        ...

    async def receive(self) -> bytes:
        """The next frame."""
        ...


class Link:
    """One open connection. `tell` never waits; `run` carries events both ways until the connection is over."""

    def __init__(self, frames: Frames, comes: Direction, answers: Answers = MappingProxyType({})) -> None:
        """`comes` is what may come; `answers` take what the services say to each other, all else is the machine's."""
        self._comes = comes
        self._frames = frames
        self._answers = answers
        self._out, self._waiting = trio.open_memory_channel[bytes](MAX_WAITING)
        self._broken = trio.Event()
        self._why = "the other machine does not keep up"
        self._listening = False
        self._silent_s = 0.0

    @property
    def silent(self) -> bool:
        """Whether the other side has not been heard of for longer than it may be."""
        return self._silent_s >= SILENT_S

    def tell(self, effect: Forward) -> None:
        """Send an event to the other machine, after those before it."""
        self.say(effect.event)

    def say(self, record: Record) -> None:
        """Send something to the other side, after what was before it."""
        try:
            self._out.send_nowait(encode(record))
        except trio.WouldBlock:
            self._broken.set()

    def give_up(self, why: str) -> None:
        """End the connection, from this side."""
        self._why = why
        self._broken.set()

    async def run(self, deliver: Callable[[Record], Awaitable[None]]) -> None:
        """Deliver what comes, in order. Raises `ConnectionLost` when the connection is no good."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._send)
            nursery.start_soon(self._beat)
            nursery.start_soon(self._watch)
            while True:
                self._listening = True
                data = await self._frames.receive()
                self._listening, self._silent_s = False, 0.0
                event = self._decoded(data)
                if not isinstance(event, Heartbeat):
                    await self._answers.get(type(event), deliver)(event)

    def _decoded(self, data: bytes) -> Record:
        """What came, if the other side may say it: a machine is handed only what it knows what to do with."""
        try:
            event: Record = decode(data, self._comes.says)
        except Refusal as refusal:
            raise ConnectionLost(f"the {self._comes.speaker} said what is not for this side: {refusal}") from None
        return event

    async def _send(self) -> None:
        async for data in self._waiting:
            await self._frames.send(data)

    async def _beat(self) -> None:
        while True:
            self.say(Heartbeat())
            await trio.sleep(BEAT_S)

    async def _watch(self) -> None:
        """Count the silence while this side listens. By ticks: one that was stopped itself must not blame the other."""
        tick_s = BEAT_S / 4
        while True:
            with trio.move_on_after(tick_s):
                await self._broken.wait()
            if self._broken.is_set():
                raise ConnectionLost(self._why)
            if self._listening:
                self._silent_s += tick_s
            if self._silent_s >= GIVEN_UP_S:
                raise ConnectionLost(f"the other machine was silent for {GIVEN_UP_S:.0f} s")
