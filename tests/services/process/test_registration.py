"""Registration with a Consul agent: no real one can be had here, so it is a stand-in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import trio

from harness.live.dependencies import Consul
from lucid.chain.document import print_genesis
from lucid.chain.ed25519 import ed25519_public_key
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.services.data import DataService
from lucid.services.process import registration
from lucid.services.process.config import ConfigError, load_config
from lucid.services.process.keyfile import write_key
from lucid.services.process.ports import free_ports
from lucid.services.process.registration import own_address
from tests.services.process import consul_agent
from tests.services.process.consul_agent import Agent, seconds
from tests.waiting import until

TOKEN = "consul-token"


@contextmanager
def running(port: int) -> Iterator[Agent]:
    with Agent("127.0.0.1", port) as agent:
        thread = threading.Thread(target=agent.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield agent
        finally:
            agent.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration, "LOOK_S", 0.1)
    monkeypatch.setattr(registration, "AGAIN_S", 0.1)
    monkeypatch.setattr(registration, "CHECK", "100ms")


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


def statuses(agent: Agent) -> list[str]:
    return [service.status for service in [*agent.known.values()]]


async def test_a_service_is_known_while_it_runs(tmp_path: Path) -> None:
    [port], stop = free_ports(1), trio.Event()
    data = service(tmp_path, port)
    async with trio.open_nursery() as nursery:
        with running(port) as agent:
            own = await nursery.start(data.run, stop)
            await until(lambda: statuses(agent) == ["passing"])
            (entry,) = (each.entry for each in agent.known.values())
            assert (entry["Name"], entry["Port"], entry["Address"]) == ("data-chain", own, "127.0.0.1")
            assert entry["ID"] == f"data-chain-{data.key.hex()[:8]}"
            assert agent.tokens == {TOKEN}
        with running(port) as anew:
            await until(lambda: statuses(anew) == ["passing"])
            stop.set()
            await until(lambda: not anew.known)


async def test_without_an_agent_it_is_degraded_and_stops_in_time(tmp_path: Path) -> None:
    [port], stop = free_ports(1), trio.Event()
    data = service(tmp_path, port)
    async with trio.open_nursery() as nursery:
        own = await nursery.start(data.run, stop)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{own}") as client:
            health = (await client.get("/health")).json()
            assert health["status"] == "degraded"
            assert health["reasons"][0].startswith("consul: ")
            with running(port) as agent:
                await until(lambda: agent.known)
                with trio.fail_after(60):
                    while (await client.get("/health")).status_code != 200:
                        await trio.sleep(0.02)
        began = trio.current_time()
        stop.set()
    assert trio.current_time() - began < 20


def test_the_address_that_others_are_told() -> None:
    assert own_address("pi.local", "0.0.0.0") == "pi.local"
    assert own_address("", "10.0.0.7") == "10.0.0.7"
    assert own_address("", "0.0.0.0") not in ("", "0.0.0.0")


def test_a_wrong_url_is_named() -> None:
    with pytest.raises(ConfigError, match="consul_url"):
        load_config({}, consul_url="consul:8500")


def test_the_stand_in_runs_as_consul_does_and_says_what_it_is(tmp_path: Path) -> None:
    with Consul(consul_agent.__file__, tmp_path / "consul", "127.0.0.1") as consul:
        assert (consul.version(), consul.known()) == ("stand-in", {})


@pytest.mark.parametrize(("duration", "expected_s"), [("10s", 10.0), ("100ms", 0.1), ("10m", 600.0)])
def test_the_stand_in_reads_durations(duration: str, expected_s: float) -> None:
    assert seconds(duration) == pytest.approx(expected_s)
