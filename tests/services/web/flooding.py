"""A service that sends more than fits in between, and one connection that lasts."""

from __future__ import annotations

from quart import Response

from lucid.services.web.web import Web
from lucid.services.web.websocket import WebSocket
from tests.services.web import served


def kit() -> Web:
    """A service with an endpoint that fails where no handler may, and one that lasts."""
    made = served.web()

    @made.route("GET", "/flood", "More than fits in between")
    async def flood() -> Response:
        return Response(b"x" * (6 << 20), content_type="application/octet-stream")

    @made.lasting("/echo", lambda token: token == "node")
    async def echo(frames: WebSocket) -> None:
        while True:
            await frames.send(await frames.receive())

    return made
