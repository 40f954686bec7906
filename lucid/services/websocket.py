"""A trio WebSocket client (RFC 6455) on wsproto: how services of a node, and nodes, keep a connection open."""

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
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from lucid.machines.messages import MAX_MESSAGE_BYTES
from lucid.services.socks import open_through

MAX_FRAME_BYTES = MAX_MESSAGE_BYTES + 1_024
"""A message of the machines, sealed."""
READ_BYTES = 65_536
OPEN_S = 10.0
"""How long a connection may take to open."""

_NONE: Mapping[str, str] = MappingProxyType({})


class ConnectionLost(Exception):
    """A connection could not be opened or is over; the text says why."""


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
            await self._read()
        return self._messages.pop(0)

    async def close(self) -> None:
        """Say goodbye and let go of the connection."""
        with trio.move_on_after(1, shield=True):
            with suppress(ConnectionLost):
                await self._send(CloseConnection(code=1000))
        await trio.aclose_forcefully(self._stream)

    async def _read(self) -> None:
        try:
            if not self._early:
                data = await self._stream.receive_some(READ_BYTES)
                self._connection.receive_data(bytes(data) or None)
            self._early = False
            events = list(self._connection.events())
        except (trio.BrokenResourceError, trio.ClosedResourceError, RemoteProtocolError, LocalProtocolError) as error:
            raise ConnectionLost(str(error) or "the connection broke") from None
        for event in events:
            await self._on_event(event)

    async def _on_event(self, event: Event) -> None:
        if isinstance(event, BytesMessage):
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
            raise ConnectionLost(f"the other side closed: {event.code} {event.reason or ''}".rstrip())
        elif isinstance(event, TextMessage):
            raise ConnectionLost("a message of text")
        else:
            assert isinstance(event, Pong), "nothing else comes on an open connection"

    async def _send(self, event: Event) -> None:
        async with self._sending:
            try:
                await self._stream.send_all(self._connection.send(event))
            except (trio.BrokenResourceError, trio.ClosedResourceError, LocalProtocolError) as error:
                raise ConnectionLost(str(error) or "the connection broke") from None


@asynccontextmanager
async def open_websocket(
    url: str,
    headers: Mapping[str, str] = _NONE,
    ssl_context: ssl.SSLContext | None = None,
    proxy: str | None = None,
) -> AsyncIterator[WebSocket]:
    """A connection to `ws://HOST:PORT/PATH` (or `wss:`), through a SOCKS5 `proxy` at HOST:PORT if there is one.

    Raises `ConnectionLost` when it can not be opened, within `OPEN_S`.
    """
    stream: trio.abc.Stream | None = None
    try:
        with trio.fail_after(OPEN_S):
            stream = await _connect(url, ssl_context, proxy)
            socket = await _upgrade(stream, url, headers)
    except trio.TooSlowError:
        await _abandon(stream)
        raise ConnectionLost(f"{url} does not answer") from None
    except (OSError, trio.BrokenResourceError, ssl.SSLError, RemoteProtocolError) as error:
        await _abandon(stream)
        raise ConnectionLost(f"{url}: {error}") from None
    except BaseException:
        await _abandon(stream)
        raise
    try:
        yield socket
    finally:
        await socket.close()


async def _abandon(stream: trio.abc.Stream | None) -> None:
    if stream is not None:
        await trio.aclose_forcefully(stream)


async def _connect(url: str, ssl_context: ssl.SSLContext | None, proxy: str | None) -> trio.abc.Stream:
    parts = urlsplit(url)
    secure = parts.scheme == "wss"
    host, port = parts.hostname, parts.port or (443 if secure else 80)
    if host is None or parts.scheme not in ("ws", "wss"):
        raise ConnectionLost(f"{url!r} is no WebSocket URL")
    stream: trio.abc.Stream
    stream = await trio.open_tcp_stream(host, port) if proxy is None else await open_through(proxy, host, port)
    if secure:
        context = ssl_context or ssl.create_default_context()
        stream = trio.SSLStream(stream, context, server_hostname=host, https_compatible=True)
    return stream


async def _upgrade(stream: trio.abc.Stream, url: str, headers: Mapping[str, str]) -> WebSocket:
    parts = urlsplit(url)
    connection = WSConnection(ConnectionType.CLIENT)
    extra = [(name.encode(), value.encode()) for name, value in headers.items()]
    request = Request(host=parts.netloc, target=parts.path or "/", extra_headers=extra)
    await stream.send_all(connection.send(request))
    while True:
        data = await stream.receive_some(READ_BYTES)
        if not data:
            raise ConnectionLost(f"{url} closed the connection at once")
        connection.receive_data(bytes(data))
        events = connection.events()
        for event in events:
            if isinstance(event, RejectConnection):
                raise ConnectionLost(f"{url} refused with status {event.status_code}")
            if isinstance(event, AcceptConnection):
                socket = WebSocket(stream, connection)
                for early in events:
                    await socket._on_event(early)
                return socket
