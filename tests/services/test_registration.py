"""Registration with a Consul agent. No agent can be had here, so a stand-in answers what the documents say one does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from quart import Response, request
from quart_trio import QuartTrio

from lucid.chain.document import print_genesis
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.chain.keys import ed25519_public_key
from lucid.services import registration
from lucid.services.config import ConfigError, load_config
from lucid.services.data import DataService
from lucid.services.keyfile import write_key
from lucid.services.registration import own_address
from lucid.services.serve import listen, serve

TOKEN = "consul-token"


class Agent:
    """The three endpoints that a service uses, and the health checks that it asked for, made when told to."""

    def __init__(self) -> None:
        self.services: dict[str, dict[str, Any]] = {}
        self.tokens: set[str | None] = set()
        self.app = QuartTrio("agent")
        self.app.add_url_rule("/v1/agent/service/<identity>", view_func=self._get)
        self.app.add_url_rule("/v1/agent/service/register", view_func=self._register, methods=["PUT"])
        self.app.add_url_rule("/v1/agent/service/deregister/<identity>", view_func=self._deregister, methods=["PUT"])

    async def _get(self, identity: str) -> Response:
        self.tokens.add(request.headers.get("X-Consul-Token"))
        return Response("", 200 if identity in self.services else 404)

    async def _register(self) -> Response:
        entry = await request.get_json()
        self.services[entry["ID"]] = entry
        return Response("")

    async def _deregister(self, identity: str) -> Response:
        return Response("", 200 if self.services.pop(identity, None) else 404)

    async def check(self) -> list[int]:
        """What the health checks of all services are answered."""
        async with httpx.AsyncClient() as client:
            return [(await client.get(entry["Check"]["HTTP"])).status_code for entry in self.services.values()]

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[int]:
        listening = listen("127.0.0.1", port)
        stop = trio.Event()
        async with trio.open_nursery() as nursery:
            await nursery.start(serve, self.app, listening, stop)
            yield listening.getsockname()[1] if listening.fileno() >= 0 else port
            stop.set()


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration, "LOOK_S", 0.1)
    monkeypatch.setattr(registration, "AGAIN_S", 0.1)


def service(folder: Path, port: int) -> DataService:
    secret = write_key(folder / "node.key")
    genesis = Genesis(0, (GenesisNode(ed25519_public_key(secret), "pi"),))
    (folder / "genesis.toml").write_text(print_genesis(genesis))
    return DataService(
        load_config(
            {},
            genesis=folder / "genesis.toml",
            key=folder / "node.key",
            data_dir=folder / "data",
            consul_url=f"http://127.0.0.1:{port}",
            consul_token=TOKEN,
        )
    )


async def until(holds: Any) -> None:
    with trio.fail_after(10):
        while not holds():
            await trio.sleep(0.02)


def free_port() -> int:
    with listen("127.0.0.1", 0) as probe:
        port: int = probe.getsockname()[1]
        return port


async def test_a_service_is_known_while_it_runs(tmp_path: Path) -> None:
    agent, port, stop = Agent(), free_port(), trio.Event()
    data = service(tmp_path, port)
    async with agent.running(port), trio.open_nursery() as nursery:
        own = await nursery.start(data.run, stop)
        await until(lambda: agent.services)
        entry = next(iter(agent.services.values()))
        assert (entry["Name"], entry["Port"], entry["Address"]) == ("data-chain", own, "127.0.0.1")
        assert entry["ID"] == f"data-chain-{data.key.hex()[:8]}"
        assert agent.tokens == {TOKEN}
        assert await agent.check() == [200]
        agent.services.clear()  # as when it starts anew
        await until(lambda: agent.services)
        stop.set()
        await until(lambda: not agent.services)


async def test_without_an_agent_it_is_degraded_and_stops_in_time(tmp_path: Path) -> None:
    agent, port, stop = Agent(), free_port(), trio.Event()
    data = service(tmp_path, port)
    async with trio.open_nursery() as nursery:
        own = await nursery.start(data.run, stop)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{own}") as client:
            health = (await client.get("/health")).json()
            assert health["status"] == "degraded"
            assert health["reasons"][0].startswith("consul: ")
            async with agent.running(port):
                await until(lambda: agent.services)
                with trio.fail_after(5):
                    while (await client.get("/health")).status_code != 200:
                        await trio.sleep(0.02)
        began = trio.current_time()
        stop.set()
    assert trio.current_time() - began < 3


def test_the_address_that_others_are_told() -> None:
    assert own_address("pi.local", "0.0.0.0") == "pi.local"
    assert own_address("", "10.0.0.7") == "10.0.0.7"
    assert own_address("", "0.0.0.0") not in ("", "0.0.0.0")


def test_a_wrong_url_is_named() -> None:
    with pytest.raises(ConfigError, match="consul_url"):
        load_config({}, consul_url="consul:8500")
