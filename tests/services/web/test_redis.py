"""Redis under the services: its client, and a node that does without it."""

from __future__ import annotations

import uuid
from pathlib import Path

import httpx
import pytest
import trio

from harness.live.dependencies import RedisDependency as RedisServer
from lucid.chain.chunks import chunk_id
from lucid.chain.document import print_genesis
from lucid.chain.ed25519 import ed25519_public_key
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.services.data import DataService
from lucid.services.process.config import ConfigError, load_config
from lucid.services.process.keyfile import write_key
from lucid.services.web import redis as redis_client
from lucid.services.web.redis import CALL_S, Redis, RedisAway, parse_url
from tests.services.redisclients import client_of, url

CHAIN, SECRET = bytes(32), bytes(range(32))
SESSION = str(uuid.UUID(int=1, version=4))
DATA = bytes(range(256)) * 64


async def until_trouble(redis: Redis, expected: bool) -> None:
    with trio.fail_after(60):
        while (redis.trouble is not None) is not expected:
            await trio.sleep(0.05)


async def test_commands_and_replies(redis_server: RedisServer) -> None:
    async with client_of(redis_server) as redis:
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


async def test_a_wrong_password_is_trouble(redis_server: RedisServer) -> None:
    redis = Redis(f"redis://:wrong@127.0.0.1:{redis_server.port}")
    async with trio.open_nursery() as nursery:
        await nursery.start(redis.run)
        assert "WRONGPASS" in str(redis.trouble)
        with pytest.raises(RedisAway):
            await redis.call("PING")
        nursery.cancel_scope.cancel()


async def test_away_and_back(redis_server: RedisServer) -> None:
    async with client_of(redis_server) as redis:
        await redis.call("PING")
        redis_server.stop()
        with pytest.raises(RedisAway):
            await redis.call("PING")
        assert str(redis.trouble).startswith("redis: ")
        redis_server.start()
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


async def test_a_connection_that_is_given_up_before_it_began_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Left to the garbage collector it would warn, which is an error here."""
    monkeypatch.setattr(redis_client, "CALL_S", 0.2)
    async with (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0] as listening:
        redis = Redis(f"redis://:secret@127.0.0.1:{listening.socket.getsockname()[1]}")
        with pytest.raises(RedisAway):
            await redis._call("PING")
        async with await listening.accept() as stream:
            with trio.fail_after(60):
                said = b"".join([bytes(part) async for part in stream])
    assert said == b"*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n" and not redis._idle


@pytest.mark.parametrize("wrong", ["http://x", "redis://", "redis://x/a", "redis://x?y=1", "redis"])
def test_a_wrong_url_is_named(wrong: str) -> None:
    with pytest.raises(ValueError, match="redis://"):
        parse_url(wrong)
    with pytest.raises(ConfigError, match="redis_url"):
        load_config({}, redis_url=wrong)


async def test_the_data_chain_with_redis(redis_server: RedisServer, tmp_path: Path) -> None:
    secret = write_key(tmp_path / "node.key")
    genesis = Genesis(0, (GenesisNode(ed25519_public_key(secret), "pi"),))
    (tmp_path / "genesis.toml").write_text(print_genesis(genesis))
    config = load_config(
        {},
        genesis=tmp_path / "genesis.toml",
        key=tmp_path / "node.key",
        data_dir=tmp_path / "data",
        redis_url=url(redis_server),
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
            redis_server.stop()
            assert (await client.get(f"/chunks/{stored['id']}")).content == DATA
            health = await client.get("/health")
            assert health.status_code == 503
            assert health.json()["reasons"][0].startswith("redis: ")
            redis_server.start()
            with trio.fail_after(60):
                while (await client.get("/health")).status_code != 200:
                    await trio.sleep(0.05)
        stop.set()
