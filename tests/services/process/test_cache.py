"""The read cache: it gives back only what a holder of the key put there under that name."""

from __future__ import annotations

from harness.live.dependencies import RedisDependency as RedisServer
from lucid.services.process.cache import KEPT_S, MAX_VALUE_BYTES, ReadCache
from tests.services.redisclients import SECRET, client_of

CHAIN, DATA = bytes(32), bytes(range(256)) * 64


async def test_the_cache_takes_only_what_a_holder_of_the_key_put_there(redis_server: RedisServer) -> None:
    async with client_of(redis_server) as redis:
        cache = ReadCache(redis, CHAIN, SECRET)
        assert await cache.get("chunk", "a") is None
        await cache.put("chunk", "a", DATA)
        assert await cache.get("chunk", "a") == DATA
        assert (cache.hits, cache.misses) == (1, 1)
        assert await ReadCache(redis, CHAIN, bytes(32)).get("chunk", "a") is None, "another node's"
        assert await ReadCache(redis, bytes(31) + b"\x01" * 8, SECRET).get("chunk", "b") is None
        name = f"lucid:{CHAIN.hex()[:16]}:chunk:"
        sealed = await redis.call("GET", f"{name}a")
        await redis.call("SET", f"{name}b", sealed)
        assert await cache.get("chunk", "b") is None, "another key's value"
        await redis.call("SET", f"{name}a", sealed[:-1] + b"?")
        assert await cache.get("chunk", "a") is None, "a changed value"
        await redis.call("SET", f"{name}a", b"")
        assert await cache.get("chunk", "a") is None
        await cache.put("chunk", "large", bytes(MAX_VALUE_BYTES + 1))
        assert await cache.get("chunk", "large") is None


async def test_without_redis_the_cache_holds_nothing() -> None:
    cache = ReadCache(None, CHAIN, SECRET)
    await cache.put("chunk", "a", DATA)
    assert await cache.get("chunk", "a") is None


async def test_one_that_is_away_costs_nothing_but_the_reads(redis_server: RedisServer) -> None:
    async with client_of(redis_server) as redis:
        cache = ReadCache(redis, CHAIN, SECRET)
        await cache.put("chunk", "a", DATA)
        redis_server.stop()
        assert await cache.get("chunk", "a") is None
        await cache.put("chunk", "a", DATA)
        assert (cache.hits, cache.misses) == (0, 0), "nobody was asked"


async def test_what_is_kept_is_kept_for_an_hour_and_what_is_not_of_bytes_is_nothing(redis_server: RedisServer) -> None:
    async with client_of(redis_server) as redis:
        cache = ReadCache(redis, CHAIN, SECRET)
        await cache.put("chunk", "empty", b"")
        assert await cache.get("chunk", "empty") == b""
        name = f"lucid:{CHAIN.hex()[:16]}:chunk:"
        assert 0 < await redis.call("TTL", f"{name}empty") <= KEPT_S
        await redis.call("LPUSH", f"{name}list", "a")
        assert await cache.get("chunk", "list") is None
