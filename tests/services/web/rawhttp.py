"""HTTP as bytes on a socket, for the tests of what no client would send."""

from __future__ import annotations

import socket
from collections.abc import Callable

import trio

UPGRADE = b"GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: %s\r\nConnection: Upgrade%s\r\n"
KEY = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
H2C = b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n"
POST = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n%s\r\n"


def told(
    port: int,
    data: bytes,
    quiet_s: float = 2.0,
    enough: Callable[[bytes], bool] = lambda _: False,
    first_s: float = 60.0,
) -> bytes:
    """What is answered to some bytes, until that is enough, it ends, or nothing comes for a while after the first."""
    with socket.create_connection(("127.0.0.1", port), timeout=first_s) as connection:
        connection.sendall(data)
        got = b""
        try:
            while not enough(got) and (part := connection.recv(65_536)):
                got += part
                connection.settimeout(quiet_s)
        except (TimeoutError, ConnectionResetError):
            pass
        return got


def refused(got: bytes) -> int:
    """How many answers say that the service is not ready."""
    return got.count(b"HTTP/1.1 503 Service Unavailable\r\n")


async def small_window(port: int) -> trio.SocketStream:
    """A connection whose end here takes little at once: a large buffer would hide for long whether anyone reads."""
    plain = trio.socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
    await plain.connect(("127.0.0.1", port))
    return trio.SocketStream(plain)
