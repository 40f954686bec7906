"""Connections through a SOCKS5 proxy (RFC 1928, without authentication): the way to other nodes over Tor."""

from __future__ import annotations

import trio

VERSION = 5
_REPLIES = {
    1: "general failure",
    2: "not allowed",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "timed out",
    7: "command not supported",
    8: "address type not supported",
}


async def open_through(proxy: str, host: str, port: int) -> trio.SocketStream:
    """A stream to `host`, whose name the proxy at HOST:PORT looks up; raises OSError."""
    place, _, number = proxy.rpartition(":")
    stream = await trio.open_tcp_stream(place.strip("[]"), int(number))
    try:
        await stream.send_all(bytes((VERSION, 1, 0)))
        if await _exactly(stream, 2) != bytes((VERSION, 0)):
            raise OSError(f"the proxy {proxy} wants authentication")
        name = host.encode("idna")
        await stream.send_all(bytes((VERSION, 1, 0, 3, len(name))) + name + port.to_bytes(2, "big"))
        head = await _exactly(stream, 4)
        if head[1]:
            raise OSError(f"the proxy {proxy} can't reach {host}: {_REPLIES.get(head[1], head[1])}")
        length = {1: 4, 4: 16}.get(head[3]) or (await _exactly(stream, 1))[0]
        await _exactly(stream, length + 2)
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return stream


async def _exactly(stream: trio.SocketStream, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = await stream.receive_some(count - len(data))
        if not more:
            raise OSError("the proxy closed the connection")
        data += more
    return data
