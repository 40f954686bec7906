"""HTTP/1.1 of one connection by hypercorn, and what its release 0.18 has to be kept from.

`docs/security.md` lists each thing that is patched around here and in `exchange`, and when the patch can go.
"""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from math import inf
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
from lucid.services.peer.addresses import network
from lucid.services.web.admission import bearer
from lucid.services.web.edge import Edge, LastingSocket
from lucid.services.web.exchange import Asgi, Exchange, refusal_headers
from lucid.services.web.problems import Problem, envelope
from lucid.services.web.websocket import WebSocket

HEAD_BYTES = 16 << 10
"""How long a request's line and headers may be."""
HEAD_S = 10.0
"""How long a request's line and headers may take, from their first byte on."""
KEEP_ALIVE_S = 30.0
"""How long a connection may wait for a request."""
READ_BYTES = 32 << 10
"""How much is read at once: a connection holds that much twice, beside what its request was charged for."""
LINGER_S, LINGER_BYTES = 2.0, 1 << 20
"""What a client still sends after an answer that ends the connection is read so far: a reset could take the answer."""

_WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_BAD_BYTES = re.compile(rb"[^\t\x20-\x7e]")
_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


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
        except _GONE:
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
                except _GONE:
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


class Strict:
    """The h11 connection of hypercorn's protocol: it refuses what h11 lets through and nobody needs, each of which has
    been a way to mislead a server, answers as every error is answered here, and takes no part in upgrades."""

    they_are_waiting_for_100_continue = False
    """Hypercorn would let a client go on before anyone has asked for its body."""

    def __init__(self, edge: Edge, wire: Wire) -> None:
        self.asked_to_last: tuple[h11.Request, LastingSocket] | None = None
        """A request for a WebSocket where there is one, and who serves it."""
        self.inner = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)
        self._edge = edge
        self._wire = wire
        self._method = b""
        self._fault: h11.RemoteProtocolError | None = None

    @property
    def our_state(self) -> Any:
        """See `h11.Connection`."""
        return self.inner.our_state

    @property
    def their_state(self) -> Any:
        """See `h11.Connection`."""
        return h11.ERROR if self._fault is not None else self.inner.their_state

    @property
    def trailing_data(self) -> tuple[bytes, bool]:
        """See `h11.Connection`."""
        return self.inner.trailing_data

    def receive_data(self, data: bytes) -> None:
        """See `h11.Connection`."""
        self.inner.receive_data(data)

    def start_next_cycle(self) -> None:
        """See `h11.Connection`; fails on a connection that is over, where hypercorn would wait for a request."""
        if self._wire.ended or self._wire.gone:
            raise h11.LocalProtocolError("the connection is over")
        self.inner.start_next_cycle()

    def next_event(self) -> Any:
        """See `h11.Connection`."""
        if self._fault is not None or self.asked_to_last is not None:
            return h11.NEED_DATA
        try:
            event = self.inner.next_event()
            if event is h11.NEED_DATA and self.inner.their_state is h11.IDLE and self.inner.trailing_data[0]:
                self._wire.deadline = min(self._wire.deadline, trio.current_time() + HEAD_S)
            return self._checked(event) if isinstance(event, h11.Request) else event
        except h11.RemoteProtocolError as error:
            self._edge.refuse("malformed")
            self._fault = error
            raise

    def send(self, event: Any) -> bytes | None:
        """See `h11.Connection`. What hypercorn answers to what is not a request gets its body here."""
        if not isinstance(event, h11.Response):
            return self.inner.send(event)  # type: ignore[no-any-return]
        if self._fault is None or self.inner.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            reason = _reason(event.status_code)
            return self.inner.send(h11.Response(status_code=event.status_code, headers=event.headers, reason=reason))
        status = self._fault.error_status_hint
        code = Code.TOO_LARGE if status == 431 else Code.REQUEST
        return self.refusal(Problem(code, str(self._fault), status=status))

    def refusal(self, problem: Problem) -> bytes:
        """The bytes of an answer, all but its end, that refuses what was asked."""
        identity = uuid.uuid4().hex
        body = envelope(problem, identity, self._edge.service)
        status, headers = problem.status, refusal_headers(identity, body)
        data = self.inner.send(h11.Response(status_code=status, headers=headers, reason=_reason(status))) or b""
        return data if self._method == b"HEAD" else data + (self.inner.send(h11.Data(data=body)) or b"")

    def _checked(self, request: h11.Request) -> Any:
        self._wire.deadline = inf
        self._method = request.method
        if request.http_version not in (b"1.0", b"1.1"):
            raise h11.RemoteProtocolError("this is HTTP/1.1", error_status_hint=505)
        if any(_BAD_BYTES.search(value) for _, value in request.headers):
            raise h11.RemoteProtocolError("a header's value has a byte outside of ASCII")
        names = {name for name, _ in request.headers}
        if {b"transfer-encoding", b"content-length"} <= names:
            raise h11.RemoteProtocolError("Transfer-Encoding and Content-Length exclude each other")
        if not request.target.startswith(b"/"):
            raise h11.RemoteProtocolError("the request's target must be a path")
        if not _is_host(header(request, b"host")):
            raise h11.RemoteProtocolError("the Host is not a name")
        if b"upgrade" not in names:
            return request
        lasting = self._edge.lasting.get(request.target.decode("ascii"))
        if lasting is not None and request.method == b"GET" and header(request, b"upgrade").lower() == b"websocket":
            self.asked_to_last = request, lasting
            self._wire.end()
            return h11.NEED_DATA
        return h11.Request(
            method=request.method,
            target=request.target,
            headers=[(name, value) for name, value in request.headers if name != b"upgrade"],
            http_version=request.http_version,
        )


class Connection(TCPServer):
    """One client's connection, for as long as it is kept. `cut` ends it at once.

    It is hypercorn's, but speaks HTTP/1.1 alone, and ends when its client goes rather than when it has idled long.
    """

    def __init__(
        self,
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
        with trio.move_on_after(LINGER_S), suppress(*_GONE):
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


def _reason(status: int) -> bytes:
    """The words that go with a status, for those who read the answer by eye."""
    try:
        return HTTPStatus(status).phrase.encode("ascii")
    except ValueError:
        return b""


def _is_host(value: bytes) -> bool:
    """Whether a Host can be that of a machine: of another Quart makes an exception before anyone can answer it."""
    try:
        value.partition(b":")[0].decode("ascii").encode("idna")
    except UnicodeError:
        return False
    return True


def header(request: h11.Request, name: bytes) -> bytes:
    """A header's value; nothing if there is none, or more than one."""
    found = [value for each, value in request.headers if each == name]
    return found[0] if len(found) == 1 else b""
