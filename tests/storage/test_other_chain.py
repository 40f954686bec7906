"""A node with another genesis than its data has, or with another node's database: nothing starts, nothing mixes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lucid.services.devnet import Devnet
from lucid.services.devnode import SERVICES, DevNode

if TYPE_CHECKING:
    from lucid.services.process.mongod import Mongod


@pytest.fixture(params=["sqlite", "mongo"])
def store(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """The setting `store` of a node."""
    if request.param == "sqlite":
        return lambda node: ""
    running: Mongod = request.getfixturevalue("mongod")
    url = running.url().split("/")[-1].split("?")[0]
    return lambda node: running.database(f"{url}-{node}-{{service}}")


def refusal(node: DevNode, service: str, config: Path) -> str:
    """What a service says that must not start: one sentence, exit status 2."""
    command = [sys.executable, "-m", f"lucid.services.{service}", "--config", str(config)]
    environment = {"LUCID_PORT": str(node.ports[service]), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
    return done.stderr


def test_another_genesis_or_another_node_on_what_is_there(tmp_path: Path, store: Callable[[str], str]) -> None:
    with Devnet(tmp_path / "one", 1, 1_000, store=store) as network:
        node = network.nodes[0]
    other = Devnet(tmp_path / "other", 1, 1_000, store=store)
    held = (node.folder / "node.toml").read_text()
    before = {path: path.read_bytes() for path in (node.folder).rglob("*.home")}
    assert len(before) == len(SERVICES)

    genesis = node.folder / "another-genesis.toml"
    genesis.write_text(held.replace(str(tmp_path / "one" / "genesis.toml"), str(tmp_path / "other" / "genesis.toml")))
    stranger = other.nodes[0]
    text = (stranger.folder / "node.toml").read_text()
    database = tmp_path / "database.toml"
    if "store =" not in text:
        text += f'store = "sqlite:{node.folder}/{{service}}.sqlite"\n'
    database.write_text(text)
    for service in SERVICES:
        said = refusal(node, service, genesis)
        assert f"it is that of the {service} of node {node.key.hex()[:16]}" in said and "this is the" in said
        said = refusal(stranger, service, database)
        assert f"it is that of the {service} of node {node.key.hex()[:16]}" in said
        copy = tmp_path / "copy.toml"
        (tmp_path / "elsewhere").mkdir(exist_ok=True)
        moved = held.replace(f'data_dir = "{node.folder}"', f'data_dir = "{tmp_path / "elsewhere"}"')
        if "store =" not in moved:
            moved += f'store = "sqlite:{node.folder}/{{service}}.sqlite"\n'
        copy.write_text(moved)
        assert "another data folder" in refusal(node, service, copy)
    assert {path: path.read_bytes() for path in (node.folder).rglob("*.home")} == before
    for service in SERVICES:
        node.start(service)
    try:
        network.await_healthy(30)
    finally:
        assert set(network.stop().values()) == {0}
