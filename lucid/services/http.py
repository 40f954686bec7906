"""HTTP/1.1 of one connection on h11: requests in, answers out, each within bounds of time and memory.

Why not hypercorn: under trio its release 0.18 lets one connection's exception end the server (its issue 225), speaks
HTTP/2 and h2c to whoever asks for it, reads bodies faster than they are used, and waits for a reader for ever.
`docs/security.md` says when this can go.
"""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import h11
import trio

from lucid.chain.errors import Code
from lucid.services.budget import Charge
from lucid.services.edge import Edge, Lasting
from lucid.services.limits import network
from lucid.services.problems import RETRY_AFTER_S, Problem, envelope
from lucid.services.websocket import WebSocket

if TYPE_CHECKING:
    from collections.abc import Mapping

READ_BYTES = 64 << 10
HEAD_BYTES = 16 << 10
"""How long a request's line and headers may be."""
HEAD_S = 10.0
"""How long a request's line and headers may take, from their first byte on."""
KEEP_ALIVE_S = 30.0
"""How long a connection may wait for a request's first byte."""
BODY_STALLED_S = 20.0
"""How long a body may bring nothing."""
PIECE_BYTES = 64 << 10
SMALL_BYTES = 16 << 10
"""Answers up to this size are not charged to the budget: the connection itself costs as much."""
LINGER_S, LINGER_BYTES = 2.0, 1 << 20
"""What a client still sends after an answer that ends the connection is read so far: a reset could take the answer."""

EXCHANGE = "lucid.exchange"
"""The extension of a request's ASGI scope that holds its `Exchange`."""

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Asgi = Callable[[Any, Receive, Send], Awaitable[None]]

_WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_BAD_BYTES = re.compile(rb"[^\t\x20-\x7e]")


class ClientGone(Exception):
    """The client closed its connection, or broke it."""


class Connection:
    """One client's connection, for as long as it is kept."""

    def __init__(self, app: Asgi, edge: Edge, stream: trio.abc.Stream, client: tuple[str, int], secure: bool) -> None:
        self.app = app
        self.edge = edge
        self.stream = stream
        self.client = client
        self.secure = secure
        self.stopping = False
        self.idle: trio.CancelScope | None = None
        """Set while the connection waits for a request: whoever needs its place may cancel it."""
        self.caller = network(client[0])
        """Whom this connection's memory is counted for, unless a request proves to be somebody else's."""
        self.method = b""
        self.h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)

    async def run(self) -> None:
        """Serve requests one after the other, until either side has enough."""
        try:
            while (request := await self._next_request()) is not None:
                lasting = self._asked_to_last(request)
                if lasting is not None:
                    await self._last(request, lasting)
                    return
                if not await Exchange(self, request).run() or self.stopping:
                    return
                self.h11.start_next_cycle()
        except (ClientGone, trio.BrokenResourceError, trio.ClosedResourceError):
            self.edge.refuse("gone")

    # -- requests ------------------------------------------------------------------------------------------------

    async def _next_request(self) -> h11.Request | None:
        """The next request, or None when there will be none. What is none is answered here."""
        try:
            with trio.move_on_after(KEEP_ALIVE_S) as patience:
                self.idle = patience
                return self._checked(await self._head(patience))
        except h11.RemoteProtocolError as error:
            status = error.error_status_hint
            await self._refuse(Problem(status, Code.TOO_LARGE if status == 431 else Code.REQUEST, str(error)))
        except Problem as problem:
            await self._refuse(problem)
        finally:
            self.idle = None
        return None

    async def _head(self, patience: trio.CancelScope) -> h11.Request | None:
        event = self.h11.next_event()
        begun = bool(self.h11.trailing_data[0])
        if begun:
            patience.deadline = trio.current_time() + HEAD_S
        while event is h11.NEED_DATA:
            data = await self.stream.receive_some(READ_BYTES)
            if not begun and data:
                patience.deadline = trio.current_time() + HEAD_S
                begun = True
            self.h11.receive_data(bytes(data))
            event = self.h11.next_event()
        return event if isinstance(event, h11.Request) else None

    def _checked(self, request: h11.Request | None) -> h11.Request | None:
        """Raises `Problem` for what h11 lets through and nobody needs: each has been a way to mislead a server."""
        if request is None:
            return None
        self.method = request.method
        if request.http_version not in (b"1.0", b"1.1"):
            raise Problem(505, Code.REQUEST, "this is HTTP/1.1")
        if any(_BAD_BYTES.search(value) for _, value in request.headers):
            raise Problem(400, Code.REQUEST, "a header's value has a byte outside of ASCII")
        names = [name for name, _ in request.headers]
        if b"transfer-encoding" in names and b"content-length" in names:
            raise Problem(400, Code.REQUEST, "Transfer-Encoding and Content-Length exclude each other")
        if not request.target.startswith(b"/"):
            raise Problem(400, Code.REQUEST, "the request's target must be a path")
        return request

    async def _refuse(self, problem: Problem) -> None:
        """Answer what is no request, and end the connection."""
        self.edge.refuse("malformed")
        identity = uuid.uuid4().hex
        body = envelope(problem, identity, self.edge.service)
        headers = [(b"content-type", b"application/json"), (b"x-request-id", identity.encode())]
        await self.answer(problem.status, headers, body)
        await self.linger()

    # -- answers -------------------------------------------------------------------------------------------------

    async def answer(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Send a whole answer, the last one of this connection."""
        ends = [(b"content-length", str(len(body)).encode()), (b"connection", b"close")]
        await self.send(h11.Response(status_code=status, headers=[*headers, *ends], reason=_reason(status)))
        if self.method != b"HEAD":
            await self.send(h11.Data(data=body))
        await self.send(h11.EndOfMessage())

    async def send(self, event: Any) -> None:
        """Send one event of h11."""
        data = self.h11.send(event)
        if data:
            await self.stream.send_all(data)

    async def linger(self) -> None:
        """Let the client read what it was sent before the connection is closed."""
        with trio.move_on_after(LINGER_S), suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            if not self.secure:
                await self.stream.send_eof()  # type: ignore[attr-defined]
            left = LINGER_BYTES
            while left > 0 and (data := await self.stream.receive_some(READ_BYTES)):
                left -= len(data)

    # -- connections that last -----------------------------------------------------------------------------------

    def _asked_to_last(self, request: h11.Request) -> Lasting | None:
        """Who serves the WebSocket that a request asks for; None for any other request, and at any other path."""
        lasting = self.edge.lasting.get(request.target.decode("ascii"))
        if lasting is None or request.method != b"GET":
            return None
        return lasting if _header(request, b"upgrade").lower() == b"websocket" else None

    async def _last(self, request: h11.Request, lasting: Lasting) -> None:
        key = _header(request, b"sec-websocket-key")
        if not re.fullmatch(rb"[A-Za-z0-9+/]{22}==", key) or _header(request, b"sec-websocket-version") != b"13":
            await self._refuse(Problem(400, Code.REQUEST, "this is no WebSocket handshake of version 13"))
            return
        if not lasting.admits(bearer(_header(request, b"authorization").decode("ascii"))):
            await self._refuse(Problem(401, Code.TOKEN, "the node's own token"))
            return
        self.h11.next_event()  # the end of a body that is none
        accept = base64.b64encode(hashlib.sha1(key + _WEBSOCKET_GUID, usedforsecurity=False).digest())
        headers = [(b"upgrade", b"websocket"), (b"connection", b"upgrade"), (b"sec-websocket-accept", accept)]
        try:
            switch = self.h11.send(h11.InformationalResponse(status_code=101, headers=headers))
        except h11.LocalProtocolError:
            await self._refuse(Problem(400, Code.REQUEST, "the handshake lacks Connection: Upgrade, or has a body"))
            return
        await self.stream.send_all(switch or b"")
        frames = WebSocket.accepted(self.stream, bytes(self.h11.trailing_data[0]))
        try:
            await lasting.serve(frames)
        finally:
            await frames.close()


class Exchange:
    """One request and its answer, as ASGI has them.

    It iterates over the request's body, whoever answers takes it from there: what ASGI's `receive` gives is pushed to
    the application, as fast as it comes.
    """

    def __init__(self, connection: Connection, request: h11.Request) -> None:
        self._connection = connection
        self._request = request
        self.client = connection.client[0]
        self.charge: Charge
        self._start: Any = None
        self._sending = False
        self._received = trio.Event()
        self._asked = False
        self._take_what_is_here()

    async def run(self) -> bool:
        """Have the request answered; returns whether the connection can go on."""
        connection = self._connection
        with connection.edge.budget.charge(connection.caller) as self.charge:
            try:
                await connection.app(self._scope(), self._receive, self._send)
            except ExceptionGroup as group:
                if group.split((ClientGone, trio.BrokenResourceError, trio.ClosedResourceError))[1] is not None:
                    raise
                raise ClientGone from None
        if not self._sending or connection.h11.our_state is h11.SEND_BODY:
            return False
        if h11.MUST_CLOSE in (connection.h11.our_state, connection.h11.their_state) or not self._received.is_set():
            await connection.linger()
            return False
        return connection.h11.our_state is h11.DONE and connection.h11.their_state is h11.DONE

    def __aiter__(self) -> Exchange:
        """The request's body as it comes, read no faster than this is asked for more."""
        return self

    async def __anext__(self) -> bytes:
        """More of the body. Raises `Problem` when it is none (400) or brings nothing for long (408)."""
        connection = self._connection
        if self._received.is_set():
            raise StopAsyncIteration
        if connection.h11.they_are_waiting_for_100_continue:
            await connection.send(h11.InformationalResponse(status_code=100, headers=[]))
        event = await self._next_part()
        if isinstance(event, h11.EndOfMessage):
            self._received.set()
            raise StopAsyncIteration
        if not isinstance(event, h11.Data):
            raise ClientGone
        return bytes(event.data)

    async def _next_part(self) -> Any:
        connection = self._connection
        try:
            while (event := connection.h11.next_event()) is h11.NEED_DATA:
                with trio.fail_after(BODY_STALLED_S):
                    data = await connection.stream.receive_some(READ_BYTES)
                if not data:
                    raise ClientGone
                connection.h11.receive_data(bytes(data))
        except trio.TooSlowError:
            raise Problem(408, Code.TOO_SLOW) from None
        except h11.RemoteProtocolError as error:
            raise Problem(400, Code.REQUEST, str(error)) from None
        return event

    def _take_what_is_here(self) -> None:
        """Notice a body that is none; one that has only begun to come stays where it is."""
        names = {name for name, _ in self._request.headers}
        empty = b"transfer-encoding" not in names and _header(self._request, b"content-length") in (b"", b"0")
        if empty and isinstance(self._connection.h11.next_event(), h11.EndOfMessage):
            self._received.set()

    def _scope(self) -> dict[str, Any]:
        connection, request = self._connection, self._request
        path, _, query = request.target.partition(b"?")
        return {
            "type": "http",
            "asgi": {"spec_version": "2.1", "version": "3.0"},
            "http_version": request.http_version.decode("ascii"),
            "method": request.method.decode("ascii"),
            "scheme": "https" if connection.secure else "http",
            "path": unquote(path.decode("ascii")),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": list(request.headers),
            "client": connection.client,
            "server": None,
            "extensions": {EXCHANGE: self},
        }

    async def _receive(self) -> Any:
        """An empty body at first, and then that the client has gone, once it has."""
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._received.wait()
        connection = self._connection
        try:
            data = await connection.stream.receive_some(READ_BYTES)
            if data:
                # The next request comes early. One piece of it is kept; what is behind it has to wait.
                connection.h11.receive_data(bytes(data))
                await trio.sleep_forever()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        return {"type": "http.disconnect"}

    async def _send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        body, more = bytes(message.get("body", b"")), bool(message.get("more_body", False))
        if not self._sending:
            await self._begin(len(body))
        connection = self._connection
        if self._request.method != b"HEAD" and connection.h11.our_state is h11.SEND_BODY:
            with memoryview(body) as view:
                for first in range(0, len(body), PIECE_BYTES):
                    await connection.send(h11.Data(data=bytes(view[first : first + PIECE_BYTES])))
        if not more:
            await connection.send(h11.EndOfMessage())

    async def _begin(self, size: int) -> None:
        """Send status and headers, if there is memory for the body; otherwise that there is none."""
        connection, headers = self._connection, list(self._start["headers"])
        status = self._start["status"]
        self._sending = True
        if size > SMALL_BYTES:
            try:
                self.charge.add(size)
            except Problem as problem:
                await self._turn_away(problem)
                return
        if connection.stopping or not self._received.is_set():
            headers.append((b"connection", b"close"))
        headers.append((b"date", formatdate(usegmt=True).encode()))
        await connection.send(h11.Response(status_code=status, headers=headers, reason=_reason(status)))

    async def _turn_away(self, problem: Problem) -> None:
        self._connection.edge.refuse("memory")
        identity = uuid.uuid4().hex
        again = (b"retry-after", str(RETRY_AFTER_S).encode())
        body = envelope(problem, identity, self._connection.edge.service)
        headers = [(b"content-type", b"application/json"), (b"x-request-id", identity.encode()), again]
        await self._connection.answer(problem.status, headers, body)
        raise ClientGone


def _reason(status: int) -> bytes:
    """The words that go with a status, for those who read the answer by eye."""
    try:
        return HTTPStatus(status).phrase.encode("ascii")
    except ValueError:
        return b""


def _header(request: h11.Request, name: bytes) -> bytes:
    """A header's value; nothing if there is none, or more than one."""
    found = [value for each, value in request.headers if each == name]
    return found[0] if len(found) == 1 else b""


def bearer(authorization: str) -> str:
    """The token in an Authorization header, or nothing."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
