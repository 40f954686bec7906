"""Redis under the services: a cache that is not trusted, rates that are shared, and a node that does without it."""

from __future__ import annotations

import math
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trio

from harness.live.dependencies import RedisDependency as RedisServer
from images.laboratory.packages import PackageError, unpack_program
from lucid.chain.chunks import chunk_id
from lucid.chain.document import print_genesis
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.chain.keys import ed25519_public_key
from lucid.services.data import DataService
from lucid.services.process.cache import MAX_VALUE_BYTES, ReadCache
from lucid.services.process.config import ConfigError, load_config
from lucid.services.process.keyfile import write_key
from lucid.services.web import redis as redis_client
from lucid.services.web.limits import BURST_S, SharedLimits
from lucid.services.web.redis import CALL_S, Redis, RedisAway, parse_url
from tests.services.web.served import served, web

CHAIN, SECRET = bytes(32), bytes(range(32))
SESSION = str(uuid.UUID(int=1, version=4))
DATA = bytes(range(256)) * 64


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A real redis-server: this machine's, or Debian's package unpacked."""
    if found := shutil.which("redis-server"):
        return found
    try:
        return str(unpack_program("redis-server", "redis-server", tmp_path_factory.mktemp("redis")))
    except PackageError as error:
        pytest.skip(f"no redis-server can be had here: {error}")


@pytest.fixture
def server(program: str, tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(program, tmp_path / "redis", "127.0.0.1") as running:
        yield running


def url(server: RedisServer) -> str:
    return server.settings()["REDIS_URL"]


@asynccontextmanager
async def connected(server: RedisServer) -> AsyncIterator[Redis]:
    redis = Redis(url(server))
    async with trio.open_nursery() as nursery:
        await nursery.start(redis.run)
        yield redis
        nursery.cancel_scope.cancel()


async def until_trouble(redis: Redis, expected: bool) -> None:
    with trio.fail_after(60):
        while (redis.trouble is not None) is not expected:
            await trio.sleep(0.05)


async def test_commands_and_replies(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_client, "CALL_S", 60.0)  # sixty megabytes, on a machine that may be at its limit
    async with connected(server) as redis:
        assert redis.trouble is None
        assert await redis.call("SET", "key", b"\x00\r\n\xff") == b"OK"
        assert await redis.call("GET", "key") == b"\x00\r\n\xff"
        assert await redis.call("GET", "other") is None
        large = bytes(3_000_000)
        await redis.call("SET", "large", large)
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(redis.call, "GET", "large")
        assert await redis.call("GET", "large") == large


async def test_a_wrong_password_is_trouble(server: RedisServer) -> None:
    redis = Redis(f"redis://:wrong@127.0.0.1:{server.port}")
    async with trio.open_nursery() as nursery:
        await nursery.start(redis.run)
        assert "WRONGPASS" in str(redis.trouble)
        with pytest.raises(RedisAway):
            await redis.call("PING")
        nursery.cancel_scope.cancel()


async def test_away_and_back(server: RedisServer) -> None:
    async with connected(server) as redis:
        await redis.call("PING")
        server.stop()
        with pytest.raises(RedisAway):
            await redis.call("PING")
        assert str(redis.trouble).startswith("redis: ")
        server.start()
        await until_trouble(redis, False)
        assert await redis.call("PING") == b"PONG"


async def test_one_that_does_not_answer_costs_little() -> None:
    listening = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
    redis = Redis(f"redis://127.0.0.1:{listening.socket.getsockname()[1]}")
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        await nursery.start(redis.run)
        for _ in range(100):
            with pytest.raises(RedisAway):
                await redis.call("PING")
        nursery.cancel_scope.cancel()
    assert trio.current_time() - began < CALL_S + 10
    assert redis.trouble == "redis: it does not answer"
    await listening.aclose()


@pytest.mark.parametrize("wrong", ["http://x", "redis://", "redis://x/a", "redis://x?y=1", "redis"])
def test_a_wrong_url_is_named(wrong: str) -> None:
    with pytest.raises(ValueError, match="redis://"):
        parse_url(wrong)
    with pytest.raises(ConfigError, match="redis_url"):
        load_config({}, redis_url=wrong)


async def test_the_cache_takes_only_what_a_holder_of_the_key_put_there(server: RedisServer) -> None:
    async with connected(server) as redis:
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


async def test_two_instances_share_one_rate(server: RedisServer) -> None:
    kits = [web(rate=5) for _ in range(2)]
    async with connected(server) as redis:
        for kit in kits:
            kit.admission.shared = SharedLimits(redis, kit.service, 5, SECRET)
        async with served(kits[0]) as (one, _), served(kits[1]) as (other, _):
            began = trio.current_time()
            statuses = [(await client.get("/health")).status_code for _ in range(10) for client in (one, other)]
            refilled = 5 * math.ceil(trio.current_time() - began)
        assert 5 * BURST_S <= statuses.count(200) <= 5 * BURST_S + refilled
        assert 429 in statuses or refilled >= 10
        keys = await redis.call("KEYS", "*")
        assert all(b"127.0.0.1" not in key for key in keys)


async def test_rates_hold_while_redis_is_away(server: RedisServer) -> None:
    async with connected(server) as redis:
        limits = SharedLimits(redis, "service", 5, SECRET)
        server.stop()
        began = trio.current_time()
        taken = [await limits.take("caller") for _ in range(20)]
        assert 5 * BURST_S <= taken.count(True) <= 5 * (BURST_S + math.ceil(trio.current_time() - began))


async def test_a_rate_refills(server: RedisServer) -> None:
    async with connected(server) as redis:
        limits = SharedLimits(redis, "service", 2, SECRET)
        taken = [await limits.take("caller") for _ in range(40)]
        assert not taken[-1]
        await trio.sleep(1)
        assert await limits.take("caller")
        assert await limits.take("other")


async def test_the_data_chain_with_redis(server: RedisServer, tmp_path: Path) -> None:
    secret = write_key(tmp_path / "node.key")
    genesis = Genesis(0, (GenesisNode(ed25519_public_key(secret), "pi"),))
    (tmp_path / "genesis.toml").write_text(print_genesis(genesis))
    config = load_config(
        {},
        genesis=tmp_path / "genesis.toml",
        key=tmp_path / "node.key",
        data_dir=tmp_path / "data",
        redis_url=url(server),
        token="node",
    )
    service = DataService(config)
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        port = await nursery.start(service.run, stop)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            assert (await client.get("/health")).status_code == 200
            stored = (await client.post(f"/store-data?session={SESSION}", content=DATA)).json()
            assert stored["id"] == chunk_id(DATA).hex()
            for _ in range(2):
                assert (await client.get(f"/chunks/{stored['id']}")).content == DATA
            assert service.cache.hits == 1
            server.stop()
            assert (await client.get(f"/chunks/{stored['id']}")).content == DATA
            health = await client.get("/health")
            assert health.status_code == 503
            assert health.json()["reasons"][0].startswith("redis: ")
            server.start()
            with trio.fail_after(60):
                while (await client.get("/health")).status_code != 200:
                    await trio.sleep(0.05)
        stop.set()
