"""A trio WebSocket client (RFC 6455) on wsproto: how a node's engine keeps its connection to the manager."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from urllib.parse import urlsplit

import trio
from wsproto import ConnectionType, WSConnection
from wsproto.connection import Connection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    Request,
    TextMessage,
)

from lucid.machines.messages import MAX_MESSAGE_BYTES
from lucid.services.peer.addresses import parse_address
from lucid.services.peer.dialing import OPEN_S, ConnectionLost, dial, losing

MAX_FRAME_BYTES = MAX_MESSAGE_BYTES + 1_024
"""A message of the machines, sealed."""
READ_BYTES = 65_536

_NONE: Mapping[str, str] = MappingProxyType({})


class WebSocket:
    """An open connection that carries messages of bytes."""

    def __init__(self, stream: trio.abc.Stream, connection: WSConnection | Connection) -> None:
        self._stream = stream
        self._connection = connection
        self._sending = trio.Lock()
        self._parts: list[bytes] = []
        self._size = 0
        self._messages: list[bytes] = []
        self._early = False
        self._over = ""
        """How the other side closed, if it has: what it said before is received first."""

    @classmethod
    def accepted(cls, stream: trio.abc.Stream, early: bytes) -> WebSocket:
        """The serving end, once the handshake is done; `early` came behind it. No extension is spoken."""
        socket = cls(stream, Connection(ConnectionType.SERVER, trailing_data=early))
        socket._early = bool(early)
        return socket

    async def send(self, data: bytes) -> None:
        """Send one message; raises `ConnectionLost`."""
        await self._send(BytesMessage(data))

    async def receive(self) -> bytes:
        """The next message; raises `ConnectionLost` once there is none."""
        while not self._messages:
            if self._over:
                raise ConnectionLost(self._over)
            await self._read()
        return self._messages.pop(0)

    async def close(self) -> None:
        """Say goodbye and let go of the connection."""
        with trio.move_on_after(1, shield=True):
            with suppress(ConnectionLost):
                await self._send(CloseConnection(code=1000))
        await trio.aclose_forcefully(self._stream)

    async def _read(self) -> None:
        with losing("the other side"):
            if not self._early:
                data = await self._stream.receive_some(READ_BYTES)
                self._connection.receive_data(bytes(data) or None)
            self._early = False
            events = list(self._connection.events())
        for event in events:
            await self._on_event(event)

    async def _on_event(self, event: Event) -> None:
        if isinstance(event, BytesMessage):
            if event.data:  # empty ones could be any number
                self._parts.append(bytes(event.data))
            self._size += len(event.data)
            if self._size > MAX_FRAME_BYTES:
                raise ConnectionLost(f"a message exceeds {MAX_FRAME_BYTES} bytes")
            if event.message_finished:
                self._messages.append(b"".join(self._parts))
                self._parts, self._size = [], 0
        elif isinstance(event, Ping):
            await self._send(event.response())
        elif isinstance(event, CloseConnection):
            self._over = f"the other side closed: {event.code} {event.reason or ''}".rstrip()
        elif isinstance(event, TextMessage):
            raise ConnectionLost("a message of text")
        elif not isinstance(event, Pong):
            raise ConnectionLost(f"{type(event).__name__} on an open connection")

    async def _send(self, event: Event) -> None:
        async with self._sending:
            with losing("the other side"):
                await self._stream.send_all(self._connection.send(event))


@asynccontextmanager
async def open_websocket(
    url: str, headers: Mapping[str, str] = _NONE, trust: ssl.SSLContext | None = None
) -> AsyncIterator[WebSocket]:
    """A connection to `ws://HOST:PORT/PATH` (or `wss:`). Raises `ConnectionLost` when there is none within `OPEN_S`."""
    try:
        address = parse_address(url, "ws", "wss", (80, 443))
    except ValueError as error:
        raise ConnectionLost(f"{url!r} is not a WebSocket URL: {error}") from None
    stream = await dial(address, trust)
    try:
        with losing(url, "something else answers at its address"), trio.fail_after(OPEN_S):
            socket = await _upgrade(stream, url, headers)
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    try:
        yield socket
    finally:
        await socket.close()


async def _upgrade(stream: trio.abc.Stream, url: str, headers: Mapping[str, str]) -> WebSocket:
    parts = urlsplit(url)
    connection = WSConnection(ConnectionType.CLIENT)
    extra = [(name.encode(), value.encode()) for name, value in headers.items()]
    request = Request(host=parts.netloc, target=parts.path or "/", extra_headers=extra)
    await stream.send_all(connection.send(request))
    while True:
        data = await stream.receive_some(READ_BYTES)
        if not data:
            raise ConnectionLost(f"{url} closed the connection at once", "it closed the connection at once")
        connection.receive_data(bytes(data))
        events = connection.events()
        for event in events:
            if isinstance(event, RejectConnection):
                status = event.status_code
                raise ConnectionLost(f"{url} refused with status {status}", f"it refuses with status {status}")
            if isinstance(event, AcceptConnection):
                socket = WebSocket(stream, connection)
                for early in events:
                    await socket._on_event(early)
                return socket
