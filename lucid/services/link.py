"""The connection between a node's engine and its manager: events as the machines encode them, one a frame.

The engine opens it. It begins with a `Greeting` of the engine; a manager of another chain or key closes it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, get_type_hints

import trio

from lucid.chain.codec import Record, decode, encode
from lucid.machines.effects import Assembled, Build, Cast, Offer, Publish, Stand, Tell
from lucid.services.websocket import ConnectionLost

PATH = "/node/engine"
MAX_WAITING = 20_000
"""Events that wait to be sent; a connection that falls so far behind is given up."""

FromEngine = Assembled | Build | Publish | Cast | Stand | Offer
_TOLD = get_type_hints(Tell)["event"]


class Greeting(Record):
    """Who opens the link: chain id and node id, 32 bytes each."""

    chain: bytes
    key: bytes


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

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._out, self._waiting = trio.open_memory_channel[bytes](MAX_WAITING)
        self._broken = trio.Event()

    def tell(self, effect: Tell) -> None:
        """Send an event to the other machine, after those before it."""
        try:
            self._out.send_nowait(encode(effect.event))
        except trio.WouldBlock:
            self._broken.set()

    async def run(self, deliver: Callable[[Record], Awaitable[None]]) -> None:
        """Deliver what comes, in order. Raises `ConnectionLost` or `Refusal` when the connection is no good."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._send)
            nursery.start_soon(self._watch)
            while True:
                event: Record = decode(await self._frames.receive(), _TOLD)
                await deliver(event)

    async def _send(self) -> None:
        async for data in self._waiting:
            await self._frames.send(data)

    async def _watch(self) -> None:
        await self._broken.wait()
        raise ConnectionLost("the other machine does not keep up")
