"""An app served for real on loopback, for the tests of what runs over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import trio

from lucid.services.web.serve import listen, serve
from lucid.services.web.tokens import Tokens
from lucid.services.web.web import Web


def web(loopback: bool = True, token: str = "node", api_tokens: tuple[str, ...] = (), rate: int = 10_000) -> Web:
    """A service without routes of its own."""
    return Web("test-service", loopback, Tokens(token, "operator", api_tokens), rate)


@asynccontextmanager
async def served(kit: Web) -> AsyncIterator[tuple[httpx.AsyncClient, int]]:
    """A client of the app, and the port that it is served at."""
    listening = listen("127.0.0.1", 0)
    port: int = listening.getsockname()[1]
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        await nursery.start(serve, kit.app, listening, stop, None, kit.edge)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30.0) as client:
            yield client, port
        stop.set()
