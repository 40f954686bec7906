"""A service that reads bodies, for the tests of how they come in."""

from __future__ import annotations

import trio
from quart import Response

from lucid.services.web import requested
from lucid.services.web.admission import WRITE
from lucid.services.web.web import Web
from tests.services.web import served


def reading() -> Web:
    """A service that reads bodies: all of one, or as little as the test lets it."""
    made = served.web()

    @made.route("POST", "/read", "All of it", raw=bytes, access=WRITE)
    async def read() -> Response:
        return Response(str(len(await requested.read_body(1 << 20))))

    @made.route("POST", "/little", "A first piece, and then nothing for long", raw=bytes, access=WRITE)
    async def little() -> Response:
        await anext(requested.exchange())
        await trio.sleep(1.5)
        return Response("enough")

    return made
