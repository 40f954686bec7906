"""HTTP/1.1 of one connection, by hypercorn: how it is served, for how long, and what becomes of an upgrade.

`docs/security.md` lists each thing that is patched around here and in `exchange`, and when the patch can go.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import h11
import trio
from hypercorn.config import Config
from hypercorn.protocol.events import Response
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState, LifespanState

from lucid.chain.errors import Code
from lucid.services.peer.callernetwork import network
from lucid.services.web.edge import Edge, LastingSocket
from lucid.services.web.exchange import Asgi, Exchange
from lucid.services.web.problems import Problem
from lucid.services.web.strict import HEAD_BYTES, Strict, header
from lucid.services.web.tokens import bearer
from lucid.services.web.websocket import WebSocket
from lucid.services.web.wire import GONE, READ_BYTES, Wire

KEEP_ALIVE_S = 30.0
"""How long a connection may wait for a request."""
LINGER_S, LINGER_BYTES = 2.0, 1 << 20
"""What a client still sends after an answer that ends the connection is read so far: a reset could take the answer."""

_WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


def settings() -> Config:
    """How hypercorn is to serve a connection."""
    config = Config()
    config.accesslog = config.errorlog = None
    config.include_server_header = False
    config.h11_max_incomplete_size = HEAD_BYTES
    config.keep_alive_timeout = KEEP_ALIVE_S
    config.keep_alive_max_requests = 1 << 40
    config.max_app_queue_size = 1  # a body is read no faster than it is used
    return config


class Connection(TCPServer):
    """One client's connection, for as long as it is kept. `cut` ends it at once.

    It is hypercorn's, but speaks HTTP/1.1 alone, and ends when its client goes rather than when it has idled long.
    """

    def __init__(
        self,
        *,
        app: Asgi,
        edge: Edge,
        config: Config,
        context: WorkerContext,
        stream: trio.abc.Stream,
        client: tuple[str, int],
        secure: bool,
        cut: Callable[[], None],
    ) -> None:
        self.caller = network(client[0])
        """Whom this connection's place and memory are counted for, unless a request proves to be somebody else's."""
        self.wire = Wire(stream)
        self.h11 = Strict(edge, self.wire)
        self.cut = cut
        self.begun = False
        """Whether any TLS handshake is over."""
        self._serves = app
        self._edge = edge
        self._plain_stream = stream
        self._client = client
        self._secure = secure
        super().__init__(self._answer, config, context, LifespanState({}), self.wire)  # type: ignore[arg-type]

    @property
    def idle(self) -> bool:
        """Whether it waits for a request: whoever needs its place may have it."""
        return self.h11.our_state is h11.IDLE

    async def run(self) -> None:
        """Serve requests one after the other, until either side has enough."""
        self.begun = True
        async with TaskGroup() as tasks:
            self._task_group = tasks
            self._http = H11Protocol(
                app=self.app,
                config=self.config,
                context=self.context,
                task_group=tasks,
                connection_state=ConnectionState(self.state),
                ssl=self._secure,
                client=self._client,
                server=None,
                send=self.protocol_send,
            )
            self._http.connection = self.h11  # type: ignore[assignment]
            self.protocol = self._http  # type: ignore[assignment]
            await self.idle_task.restart(tasks, self._idle_timeout)
            await self._read_data()
            await self.idle_task.stop()
        if self.h11.asked_to_last is not None:
            await self._last(*self.h11.asked_to_last)
        elif not self.wire.gone and not self.idle:
            await self._linger()

    async def _answer(self, scope: Any, receive: Any, send: Any, *_: Any) -> None:
        """The app, as hypercorn calls it. Whatever it raises ends the connection, and nothing else; so does a client's
        going, at which Quart drops the request."""
        exchange = Exchange(self._edge, scope, receive, send, self._proceed, self.context.terminated.is_set)
        try:
            await exchange.run(self._serves)
        except* Exception as group:
            self._edge.fail(self._client[0], group)
        else:
            if not exchange.answered or self.wire.lost:
                self._edge.refuse("gone")
        if not exchange.answered or self.wire.lost:
            self.cut()

    async def _proceed(self) -> None:
        if self.h11.inner.they_are_waiting_for_100_continue:
            await self._http.stream_send(Response(stream_id=STREAM_ID, headers=[], status_code=100))

    async def _linger(self) -> None:
        """Let the client read what it was sent before the connection is closed."""
        stream, left = self._plain_stream, LINGER_BYTES
        with trio.move_on_after(LINGER_S), suppress(*GONE):
            if not self._secure:
                await stream.send_eof()  # type: ignore[attr-defined]
            while left > 0 and (data := await stream.receive_some(READ_BYTES)):
                left -= len(data)

    # -- connections that last -----------------------------------------------------------------------------------

    async def _last(self, request: h11.Request, lasting: LastingSocket) -> None:
        key = header(request, b"sec-websocket-key")
        if not re.fullmatch(rb"[A-Za-z0-9+/]{22}==", key) or header(request, b"sec-websocket-version") != b"13":
            await self._refuse(Problem(Code.REQUEST, "this is not a WebSocket handshake of version 13"))
            return
        if not lasting.admits(bearer(header(request, b"authorization").decode("ascii"))):
            await self._refuse(Problem(Code.TOKEN, "the node's own token"))
            return
        self.h11.inner.next_event()  # the end of a body that is none
        accept = base64.b64encode(hashlib.sha1(key + _WEBSOCKET_GUID, usedforsecurity=False).digest())
        headers = [(b"upgrade", b"websocket"), (b"connection", b"upgrade"), (b"sec-websocket-accept", accept)]
        try:
            switch = self.h11.inner.send(h11.InformationalResponse(status_code=101, headers=headers))
        except h11.LocalProtocolError:
            await self._refuse(Problem(Code.REQUEST, "the handshake lacks Connection: Upgrade, or has a body"))
            return
        await self._plain_stream.send_all(switch or b"")
        frames = WebSocket.accepted(self._plain_stream, bytes(self.h11.trailing_data[0]))
        try:
            await lasting.serve(frames)
        finally:
            await frames.close()

    async def _refuse(self, problem: Problem) -> None:
        self._edge.refuse("malformed")
        await self._plain_stream.send_all(self.h11.refusal(problem) + (self.h11.inner.send(h11.EndOfMessage()) or b""))
        await self._linger()
