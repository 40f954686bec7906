"""Clients of a real Redis, for the tests of what is shared over one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from harness.live.dependencies import RedisDependency as RedisServer
from lucid.services.web.redis import Redis

SECRET = bytes(range(32))
"""What the instances of a service share."""


def url(server: RedisServer) -> str:
    """Where it is."""
    return server.settings()["REDIS_URL"]


@asynccontextmanager
async def client_of(server: RedisServer) -> AsyncIterator[Redis]:
    """A client that is connected."""
    redis = Redis(url(server))
    async with trio.open_nursery() as nursery:
        await nursery.start(redis.run)
        yield redis
        nursery.cancel_scope.cancel()
