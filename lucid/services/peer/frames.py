"""Frames on a stream: four bytes of length, big-endian, and so many bytes (`docs/protocol.md`, section 8)."""

from __future__ import annotations

import trio

from lucid.services.peer.dialing import ConnectionLost, losing

LENGTH_BYTES = 4
READ_BYTES = 65_536
OTHER = "the peer"


class FrameStream:
    """Frames over a stream. None longer than `limit` is read; the limit may grow once it is known who sends."""

    def __init__(self, stream: trio.abc.Stream, limit: int) -> None:
        self.limit = limit
        self._stream = stream
        self._held = bytearray()

    async def send(self, data: bytes) -> None:
        """Send one frame; raises `ConnectionLost`. Only one task may send."""
        with losing(OTHER):
            await self._stream.send_all(len(data).to_bytes(LENGTH_BYTES, "big") + data)

    async def receive(self) -> bytes:
        """The next frame; raises `ConnectionLost` at the stream's end and for a frame that is empty or too long."""
        size = int.from_bytes(await self._exactly(LENGTH_BYTES), "big")
        if not 0 < size <= self.limit:
            raise ConnectionLost(f"a frame of {size} bytes; within 1..{self.limit} was expected")
        return await self._exactly(size)

    async def close(self) -> None:
        """Let go of the connection, without a goodbye that the other side could hold up."""
        await trio.aclose_forcefully(self._stream)

    async def _exactly(self, count: int) -> bytes:
        with losing(OTHER):
            while len(self._held) < count:
                # Never more at once than a frame may have: what a stranger sends beyond stays in the kernel.
                data = await self._stream.receive_some(min(READ_BYTES, self.limit + LENGTH_BYTES))
                if not data:
                    raise ConnectionLost(f"{OTHER} closed the connection")
                self._held += data
        found = bytes(self._held[:count])
        del self._held[:count]
        return found
