"""A small SOCKS5 server on loopback, for tests of what goes through one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import trio


@asynccontextmanager
async def socks_proxy(reply: int = 0) -> AsyncIterator[tuple[str, list[str]]]:
    """Its HOST:PORT, and the names that it was asked for."""
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
