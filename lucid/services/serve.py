"""Serving an app with hypercorn under trio, as it must be for services that stop in time and lose no connection."""

from __future__ import annotations

import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import hypercorn
import trio
from hypercorn.trio import serve as hypercorn_serve

from lucid.services.websocket import MAX_FRAME_BYTES

STALLED_MS = 5_000
"""After so long without an acknowledgement a connection is given up: hypercorn waits for a send, whatever happens."""
GRACE_S = 6.0
KEEP_ALIVE_S = 30.0
BACKLOG = 256
_TCP_USER_TIMEOUT = 18
"""Linux's number; the socket module has no name for it on other systems."""

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Asgi = Callable[[Any, Receive, Send], Awaitable[None]]


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at `host`, at any free port if `port` is 0; raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.IPPROTO_TCP, _TCP_USER_TIMEOUT, STALLED_MS)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


async def serve(
    app: Asgi,
    listening: socket.socket,
    stop: trio.Event,
    tls: tuple[Path, Path] | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `stop`, and then at most `GRACE_S` longer. Takes the socket over. `tls` names certificate and key."""
    config = hypercorn.Config()
    if tls is not None:
        config.certfile, config.keyfile = map(str, tls)
    config.bind = [f"fd://{listening.detach()}"]
    config.graceful_timeout = GRACE_S
    config.shutdown_timeout = GRACE_S
    config.keep_alive_timeout = KEEP_ALIVE_S
    config.keep_alive_max_requests = 1 << 40  # a connection's last request must not cut those beside it
    config.websocket_max_message_size = MAX_FRAME_BYTES
    # No WebSocket pings: hypercorn's task for them outlives its connection by an interval, and holds up the end.
    config.errorlog = None
    config.accesslog = None
    async with trio.open_nursery() as nursery:
        await nursery.start(
            lambda task_status: hypercorn_serve(
                _finishing(app),
                config,
                shutdown_trigger=stop.wait,
                task_status=task_status,
                mode="asgi",
            )
        )
        task_status.started()


async def stop_at_signal(stop: trio.Event, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
    """Set `stop` at SIGTERM or SIGINT: hypercorn looks for neither under trio."""
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for _ in signals:
            stop.set()


def _finishing(app: Asgi) -> Asgi:
    """Quart ends a request's task with its answer, which would keep hypercorn from rearming its keep-alive timer."""

    async def finishing(
        scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        async def finish(message: Any) -> None:
            last = message["type"] == "http.response.body" and not message.get("more_body", False)
            with trio.CancelScope(shield=last):
                await send(message)

        await app(scope, receive, finish)

    return finishing
