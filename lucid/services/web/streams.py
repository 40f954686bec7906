"""The socket of a client, as a service wants it: sending waits for a slow reader, but not for one that has stopped."""

from __future__ import annotations

import array
import fcntl
import socket
import struct
import termios

import trio

STALLED_S = 30.0
"""A client that has taken nothing for so long is cut; one that takes anything, however slowly, is not."""
LOOKS = 15
"""How often, in that time, it is seen whether the client took anything: it is cut so much later at most."""
BUFFER_BYTES = 128 << 10
"""What the kernel keeps for one client on its way out (it doubles the figure): each slow reader costs that much."""


class ClientStream(trio.abc.Stream):
    """A TCP connection that was accepted. What is sent to it is bounded, in memory and in time."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """See `trio.abc.SendStream`; also raises trio.BrokenResourceError once the reader has stopped reading."""
        queued, taken_at = self._queued(), trio.current_time()
        with memoryview(data) as view:
            sent = 0
            while sent < len(view):
                handed = await self._handed(view[sent:])
                sent += handed
                before, queued = queued, self._queued()
                if queued < before + handed:
                    taken_at = trio.current_time()
                elif trio.current_time() >= taken_at + STALLED_S:
                    self._reset()
                    raise trio.BrokenResourceError(f"nothing was read for {STALLED_S:.0f} s")

    async def _handed(self, view: memoryview) -> int:
        """How many bytes the kernel took; none after a while, when it is time to look at what the client takes."""
        with trio.move_on_after(STALLED_S / LOOKS):
            try:
                return await self._stream.socket.send(view)
            except OSError as error:
                raise trio.BrokenResourceError(str(error)) from None
        return 0

    async def wait_send_all_might_not_block(self) -> None:
        """See `trio.abc.SendStream`."""
        await self._stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """See `trio.abc.HalfCloseableStream`."""
        await self._stream.send_eof()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """See `trio.abc.ReceiveStream`."""
        return await self._stream.receive_some(max_bytes)

    async def aclose(self) -> None:
        """See `trio.abc.AsyncResource`."""
        await self._stream.aclose()

    def cut(self) -> None:
        """Close it at once, under the feet of whoever sends or receives: they get trio.ClosedResourceError."""
        self._stream.socket.close()

    def _queued(self) -> int:
        """What the client has not acknowledged yet, in bytes."""
        if self._stream.socket.fileno() < 0:
            raise trio.ClosedResourceError
        waiting = array.array("i", [0])
        fcntl.ioctl(self._stream.socket.fileno(), termios.TIOCOUTQ, waiting)
        return waiting[0]

    def _reset(self) -> None:
        """Closing must not leave the kernel with what nobody takes."""
        self._stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
