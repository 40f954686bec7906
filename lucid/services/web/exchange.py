"""One request and its answer between hypercorn and the app: bodies within memory and time, answers within memory."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import trio

from lucid.chain.errors import Code
from lucid.services.peer.callernetwork import network
from lucid.services.web.budget import Charge
from lucid.services.web.edge import Edge
from lucid.services.web.problems import RETRY_AFTER_S, Problem, envelope

BODY_STALLED_S = 20.0
"""How long a body may bring nothing."""
PIECE_BYTES = 64 << 10
"""Answers go out in pieces of this size: each is copied on its way."""
SMALL_BYTES = 16 << 10
"""Answers up to this size are not charged to the budget: the connection itself costs as much."""

EXCHANGE = "lucid.exchange"
"""The extension of a request's ASGI scope that holds its `Exchange`."""

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Asgi = Callable[[Any, Receive, Send], Awaitable[None]]

_BODY, _START = "http.response.body", "http.response.start"


class Exchange:
    """A request's body to iterate over, and the `receive` and `send` that the app gets in place of hypercorn's.

    What ASGI's `receive` gives Quart takes in as fast as it comes, so it gets an empty body there, and whoever answers
    takes the real one from here. `proceed` tells a client that waits for it to send the body (100), `closing` says
    whether the connection ends with this answer.
    """

    def __init__(
        self,
        edge: Edge,
        scope: dict[str, Any],
        receive: Receive,
        send: Send,
        proceed: Callable[[], Awaitable[None]],
        closing: Callable[[], bool],
    ) -> None:
        self.client: str = scope["client"][0]
        self.charge: Charge
        self.answered = False
        """Whether the whole answer was sent."""
        self._edge = edge
        self._scope = scope
        self._receive_next, self._send_on = receive, send
        self._proceed, self._closing = proceed, closing
        self._received = trio.Event()
        self._asked = False
        self._start: Mapping[str, Any] | None = None
        self._draining: trio.Nursery

    async def run(self, app: Asgi) -> None:
        """Have the app answer the request."""
        if _is_empty(self._scope["headers"]) and (await self._receive_next())["type"] == "http.request":
            self._received.set()
        self._scope["extensions"][EXCHANGE] = self
        with self._edge.budget.charge(network(self.client)) as self.charge:
            if self._received.is_set():
                await app(self._scope, self._receive, self._send)
                return
            async with trio.open_nursery() as self._draining:
                await app(self._scope, self._receive, self._send)
                self._draining.cancel_scope.cancel()

    def __aiter__(self) -> Exchange:
        """The request's body as it comes, read no faster than this is asked for more."""
        return self

    async def __anext__(self) -> bytes:
        """More of the body. Raises `Problem` when it ends early (400) or brings nothing for long (408)."""
        if self._received.is_set():
            raise StopAsyncIteration
        try:
            with trio.fail_after(BODY_STALLED_S):
                await self._proceed()
                message = await self._receive_next()
        except trio.TooSlowError:
            raise Problem(Code.TOO_SLOW) from None
        if message["type"] != "http.request":
            raise Problem(Code.REQUEST, "the body ends before its end")
        if not message["more_body"]:
            self._received.set()
            raise StopAsyncIteration
        return bytes(message["body"])

    async def _receive(self) -> Any:
        """An empty body at first, and then that the client has gone, once it has."""
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._received.wait()
        return await self._receive_next()

    async def _send(self, message: Mapping[str, Any]) -> None:
        if self.answered:
            return
        if message["type"] == _START:
            self._start = message
            return
        body, more = bytes(message.get("body", b"")), bool(message.get("more_body", False))
        if self._start is not None and not await self._begin(self._start, len(body)):
            return
        with memoryview(body) as view:
            for first in range(0, len(body), PIECE_BYTES):
                await self._send_on(
                    {"type": _BODY, "body": bytes(view[first : first + PIECE_BYTES]), "more_body": True}
                )
        if not more:
            await self._finish()

    async def _begin(self, start: Mapping[str, Any], size: int) -> bool:
        """Send status and headers, if there is memory for the body; otherwise that there is none."""
        self._start = None
        if not self._received.is_set():
            # Of a body that nobody wanted hypercorn has more to hand in, and waits with all else until it is taken.
            self._draining.start_soon(self._drain)
        if size > SMALL_BYTES:
            try:
                self.charge.add(size)
            except Problem as problem:
                await self._turn_away(problem)
                return False
        headers = list(start["headers"])
        if self._closing() or not self._received.is_set():
            headers.append((b"connection", b"close"))
        await self._send_on({"type": _START, "status": start["status"], "headers": headers})
        return True

    async def _turn_away(self, problem: Problem) -> None:
        self._edge.refuse("memory")
        identity = uuid.uuid4().hex
        body = envelope(problem, identity, self._edge.service)
        headers = [*refusal_headers(identity, body), (b"retry-after", str(RETRY_AFTER_S).encode())]
        await self._send_on({"type": _START, "status": problem.status, "headers": headers})
        await self._send_on({"type": _BODY, "body": body, "more_body": True})
        await self._finish()

    async def _finish(self) -> None:
        """End the answer. Quart cancels the request with its last message, before hypercorn has done all that follows
        it, hence the shield, within which the body has to be taken too."""
        end = {"type": _BODY, "body": b"", "more_body": False}
        with trio.CancelScope(shield=True):
            if self._received.is_set():
                await self._send_on(end)
            else:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._drain)
                    await self._send_on(end)
                    nursery.cancel_scope.cancel()
        self.answered = True

    async def _drain(self) -> None:
        while (await self._receive_next())["type"] == "http.request":
            pass


def refusal_headers(identity: str, body: bytes) -> list[tuple[bytes, bytes]]:
    """The headers of an answer that refuses, and ends its connection."""
    return [
        (b"content-type", b"application/json"),
        (b"x-request-id", identity.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]


def _is_empty(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a request has no body."""
    return not any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0") for name, value in headers
    )
