"""A devnet's nodes on this machine: settings that fit each other, processes that are watched and end, what is
kept."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lucid.chain.errors import LucidError
from lucid.chain.parameters import Parameters, paced
from lucid.services import devnet as module
from lucid.services.devnet import Devnet
from lucid.services.devnode import SERVICES
from lucid.services.peer.addresses import peer_addresses
from lucid.services.process.config import ConfigError, load_config
from tests.services.scripted import runs


def test_its_nodes_know_each_other_and_share_nothing(tmp_path: Path) -> None:
    network = Devnet(tmp_path / "net", 3, 2_000)
    configs = [load_config({}, node.settings) for node in network.nodes]
    ports = [port for node in network.nodes for port in (*node.ports.values(), node.peer_port)]
    assert len(set(ports)) == len(ports) == 3 * (len(SERVICES) + 1)
    assert len({config.token for config in configs}) == len({config.data_dir for config in configs}) == 3
    assert [node.key for node in network.nodes] == [each.key for each in network.genesis.nodes]
    addresses = {node.key: f"tcp://127.0.0.1:{node.peer_port}" for node in network.nodes}
    for node, config in zip(network.nodes, configs, strict=True):
        assert peer_addresses(config.peers) == {key: url for key, url in addresses.items() if key != node.key}
        assert config.genesis == tmp_path / "net" / "genesis.toml" and config.loopback
        assert {service: f"{node.url(service)}" for service in SERVICES} == {
            service: getattr(config, f"{service}_url") for service in SERVICES
        }


def test_what_is_secret_is_this_users_alone(tmp_path: Path) -> None:
    node = Devnet(tmp_path, 1, 1_000).nodes[0]
    for path in (node.settings, node.token_file, node.folder / "node.key", node.folder):
        assert path.stat().st_mode & 0o077 == 0, path
    assert node.token_file.read_text() == f"{node.token}\n"


@pytest.mark.parametrize("given", [None, Parameters(block_interval_ms=3_000)])
def test_blocks_come_as_often_as_was_said(tmp_path: Path, given: Parameters | None) -> None:
    network = Devnet(
        tmp_path, 1, 1_000, journal=True, store=lambda node: f"sqlite:{node}-{{service}}", parameters=given
    )
    assert network.genesis.parameters == (given or paced(1_000))
    [node] = network.nodes
    config = load_config({}, node.settings)
    assert config.journal == node.folder / "journal" and node.store == config.store == "sqlite:node0-{service}"


def test_what_was_kept_is_the_same_network(tmp_path: Path) -> None:
    first = Devnet(tmp_path, 2, 1_000)
    again = Devnet(tmp_path)
    assert again.genesis == first.genesis
    for one, other in zip(first.nodes, again.nodes, strict=True):
        for name in ("name", "folder", "key", "token", "ports", "peer_port", "store"):
            assert getattr(one, name) == getattr(other, name), name


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "genesis.toml").write_text("nodes = 3"),
        lambda folder: (folder / "node1" / "node.toml").write_text("bind = 3"),
        lambda folder: (folder / "node1" / "node.id").unlink(),
    ],
)
def test_what_was_kept_and_cannot_be_used_is_an_error_of_ours(tmp_path: Path, harm: Callable[[Path], object]) -> None:
    Devnet(tmp_path, 2, 1_000)
    harm(tmp_path)
    with pytest.raises(LucidError):
        Devnet(tmp_path)


def test_a_network_of_which_one_service_ends_says_which_and_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs(monkeypatch, "case $1 in *.data) echo no room; exit 2;; *) exec sleep 600;; esac")
    network = Devnet(tmp_path, 1, 1_000)
    with pytest.raises(TimeoutError, match=r"^node0's data ended with status 2: no room$"), network:
        raise AssertionError("it is not healthy")
    assert {name: process.returncode for name, process in network.nodes[0].processes.items()} == {
        "manager": -15, "engine": -15, "anchoring": -15, "data": 2,
    }  # fmt: skip


def test_one_that_does_not_become_healthy_is_named_in_time(tmp_path: Path) -> None:
    network = Devnet(tmp_path, 1, 1_000)
    (network.nodes[0].folder / "manager.log").write_text("it waits for its disk")
    with pytest.raises(TimeoutError, match="node0's manager does not become healthy: it waits for its disk"):
        network.await_healthy(0.0)


def test_who_does_not_heed_the_stop_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOP_S", 0.2)
    network = Devnet(tmp_path, 1, 1_000)
    [node] = network.nodes
    scripts = {
        "manager": "trap '' TERM; echo; while :; do sleep 600; done",
        "data": "trap 'exit 0' TERM; echo; sleep 600 & wait",
    }
    for service, script in scripts.items():
        node.processes[service] = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True)
    said = [each.stdout for each in node.processes.values()]
    assert all(out is not None and out.readline() for out in said), "each listens"
    assert network.stop() == {"node0/manager": -9, "node0/data": 0}
    for out in said:
        if out is not None:
            out.close()


def test_a_look_at_a_network_that_lacks_a_node_or_was_moved_makes_nothing(tmp_path: Path) -> None:
    Devnet(tmp_path / "net", 2, 1_000)
    moved = (tmp_path / "net").rename(tmp_path / "moved")
    with pytest.raises(ConfigError, match=r"folder was moved: .*/moved/node0/node\.toml names .*/net/node0"):
        Devnet(moved)
    moved.rename(tmp_path / "net")
    shutil.rmtree(tmp_path / "net" / "node1")
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"there is no .*node1/node\.toml"):
            Devnet(tmp_path / "net")
    assert not (tmp_path / "net" / "node1").exists()
