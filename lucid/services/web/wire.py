"""A connection's stream as hypercorn has it: it may end it, but closing is left to who opened it."""

from __future__ import annotations

from math import inf

import trio

READ_BYTES = 32 << 10
"""How much is read at once: a connection holds that much twice, beside what its request was charged for."""
GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


class Wire:
    """A connection's stream as hypercorn has it: it may end it, but closing is left to who opened it."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.deadline = inf
        """When the head of a request has to be here."""
        self.ended = False
        self.gone = False
        """Whether the other side closed or broke the connection."""
        self.lost = False
        """Whether it did so, or stopped reading, before it had all that was sent."""
        self._stream = stream
        self._reading: trio.CancelScope | None = None

    async def send_all(self, data: bytes) -> None:
        """See `trio.abc.SendStream`."""
        if self.ended or self.lost:
            raise trio.ClosedResourceError
        if not data:
            return
        try:
            await self._stream.send_all(data)
        except GONE:
            self.gone = self.lost = True
            raise

    async def receive_some(self, max_bytes: int) -> bytes:
        """See `trio.abc.ReceiveStream`; also raises trio.ClosedResourceError once the head is late."""
        data = b""
        if not self.ended:
            with trio.CancelScope(deadline=self.deadline) as self._reading:
                try:
                    data = bytes(await self._stream.receive_some(min(max_bytes, READ_BYTES)))
                    self.gone = not data
                except GONE:
                    self.gone = True
                    raise
            if self._reading.cancelled_caught:
                self.ended = True
        if self.ended:
            raise trio.ClosedResourceError
        return data

    async def aclose(self) -> None:
        """Nothing is sent or read any more."""
        self.end()

    def end(self) -> None:
        """See `aclose`."""
        self.ended = True
        if self._reading is not None:
            self._reading.cancel()
