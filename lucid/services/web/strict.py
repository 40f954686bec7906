"""What h11 lets through and nobody needs is refused: each has been a way to mislead a server."""

from __future__ import annotations

import re
import uuid
from http import HTTPStatus
from math import inf
from typing import Any

import h11
import trio

from lucid.chain.errors import Code
from lucid.services.web.edge import Edge, LastingSocket
from lucid.services.web.exchange import refusal_headers
from lucid.services.web.problems import Problem, envelope
from lucid.services.web.wire import Wire

HEAD_BYTES = 16 << 10
"""How long a request's line and headers may be."""
HEAD_S = 10.0
"""How long a request's line and headers may take, from their first byte on."""
_BAD_BYTES = re.compile(rb"[^\t\x20-\x7e]")


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
