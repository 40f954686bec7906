"""A port that answers whatever it is told with bytes that the test chose, and what a hostile one would answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import trio

UPGRADE = b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"

ANSWERS = {
    "nothing": b"",
    "not http": b"\x00\xff\x16\x03",
    "a header byte above 0x7f": UPGRADE + b"Sec-WebSocket-Protocol: \xff\r\n\r\n",
    "an extension of odd bytes": UPGRADE + b"Sec-WebSocket-Extensions: \xff\xfe\r\n\r\n",
    "a status of odd bytes": b"HTTP/1.1 101 \xff\xff\r\nUpgrade: \xff\r\n\r\n",
    "a wrong accept": UPGRADE + b"Sec-WebSocket-Accept: eA==\r\n\r\n",
    "an accept of odd bytes": UPGRADE + b"Sec-WebSocket-Accept: \xff\r\n\r\n",
    "endless headers": b"HTTP/1.1 101 X\r\n" + b"A: " + b"a" * 200_000,
    "a refusal with odd bytes": b"HTTP/1.1 403 \xe9\r\nContent-Length: \xff\r\n\r\n",
    "a redirect": b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
    "two informational ones": b"HTTP/1.1 100 X\r\n\r\nHTTP/1.1 102 X\r\n\r\n",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
}


@asynccontextmanager
async def answering(data: bytes, wait_s: float = 0.0) -> AsyncIterator[int]:
    """A port that answers whatever it is told with `data` and closes."""

    async def answer(stream: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await stream.receive_some(4_096)
            await stream.send_all(data)
            await trio.sleep(wait_s)
        await trio.aclose_forcefully(stream)

    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(
            lambda task_status: trio.serve_tcp(answer, 0, host="127.0.0.1", task_status=task_status)
        )
        yield listener.socket.getsockname()[1]
        nursery.cancel_scope.cancel()
