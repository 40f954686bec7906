"""A node's services in one process: each with the port of its URL and one token, and all of them stopped together."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
from msgspec.structs import replace

from lucid.api.services import SERVICES, NodeService
from lucid.services import node as module
from lucid.services.devnet import Devnet
from lucid.services.devnode import DevNode
from lucid.services.node import run
from lucid.services.process.config import Config, ConfigError, load_config
from lucid.services.process.service import Service


@pytest.fixture
def node(tmp_path: Path) -> DevNode:
    """A node that was not started."""
    return Devnet(tmp_path, 1, 1_000).nodes[0]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The services that are made, and not run: this process keeps its umask and its log."""
    services: list[Any] = []

    def keep(_: Any, found: list[Any]) -> None:
        services.extend(found)

    monkeypatch.setattr(module, "run_to_end", keep)
    monkeypatch.setattr(module, "begin_process", lambda: None)
    yield services
    for each in services:
        each.close()


def test_each_service_is_where_its_url_says_and_has_a_store_of_its_own(node: DevNode, made: list[Service]) -> None:
    run(replace(load_config({}, node.settings), store=f"sqlite:{node.folder}/my-{{service}}"))
    assert made[0].listed.key == "manager", "the others ask it"
    assert {each.listed.key: each.config.port for each in made} == node.ports
    assert {path.name for path in node.folder.glob("my-*") if "-" not in path.name[3:]} == {
        f"my-{name}" for name in SERVICES
    }
    assert {each.config.token for each in made} == {node.token}


class Blank:
    """A service that is only made: it keeps its settings."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def close(self) -> None:
        """See `Service`."""


@pytest.fixture
def blank(made: list[Any], monkeypatch: pytest.MonkeyPatch) -> list[Blank]:
    """What is made of the four services: nothing but their settings."""
    for key in SERVICES:
        kind = type(f"Blank{key}", (Blank,), {"listed": SERVICES[key]})
        monkeypatch.setattr(module, f"{key.capitalize()}Service", kind)
    return made


@pytest.mark.parametrize("token", ["", "mine"])
def test_they_know_each_other_by_one_token(blank: list[Blank], token: str) -> None:
    run(Config(token=token))
    [found] = {each.config.token for each in blank}
    assert found == token if token else len(bytes.fromhex(found)) == 32


def test_a_url_without_a_port_is_at_the_services_own(blank: list[Blank]) -> None:
    names = [f"{key}_url" for key in SERVICES]
    run(replace(Config(), **dict.fromkeys(names, "http://127.0.0.1")))
    assert sorted(each.config.port for each in blank) == sorted(each.port for each in SERVICES.values())


def test_one_store_for_all_is_refused_before_anything_is_made(node: DevNode, made: list[Service]) -> None:
    before = sorted(node.folder.iterdir())
    with pytest.raises(ConfigError, match=r"store must hold \{service\}"):
        run(replace(load_config({}, node.settings), store=f"sqlite:{node.folder}/one"))
    assert not made and sorted(node.folder.iterdir()) == before


class Part:
    """A service as far as a node runs it: it begins, waits for the stop, and takes its time to end."""

    def __init__(self, name: str, told: list[str]) -> None:
        self.listed = NodeService(key=name, name=name, port=1)
        self.config = Config()
        self.ended = trio.Event()
        self._name, self._told = name, told

    async def run(self, stop: trio.Event, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
        """See `Service`."""
        self._told.append(f"{self._name} begins")
        task_status.started(7)
        await stop.wait()
        await trio.sleep(0.02)
        self._told.append(f"{self._name} ends")
        self.ended.set()
        await trio.sleep_forever()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_them_all_and_the_last_ends_it(
    how: signal.Signals, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What cuts off a node that hangs would end this whole run: it is only noted."""
    told: list[str] = []

    def within(scope: trio.CancelScope) -> None:
        told.append("the stop is bounded")
        scope.deadline = trio.current_time() + 60

    monkeypatch.setattr(module, "end_in_time", within)
    parts = [Part("one", told), Part("other", told)]

    async def signaled(services: list[Any]) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(module._serve, services)
            while len(told) < len(services):
                await trio.sleep(0)
            signal.raise_signal(how)

    with caplog.at_level(logging.INFO, "lucid"):
        trio.run(signaled, parts)
    assert told[:2] == ["one begins", "other begins"], "one after the other"
    assert sorted(told[2:]) == ["one ends", "other ends", "the stop is bounded"]
    assert [record.getMessage() for record in caplog.records] == [
        f"{name} listens at 127.0.0.1:7" for name in ("one", "other")
    ]
