"""The block manager's service at its edges: its peer port, and what it tells whom about peers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lucid.services.devnet import Devnet
from lucid.services.devnode import DevNode


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevNode]:
    """A node with a peer that is not there."""
    network = Devnet(tmp_path_factory.mktemp("node"), 1, 1_000)
    [made] = network.nodes
    named(made, f"{'ff' * 32}@tcp://127.0.0.1:1")
    with network:
        yield made


def named(node: DevNode, *peers: str) -> None:
    """Let a node that was not started have these peers."""
    path = node.folder / "node.toml"
    written = ", ".join(f'"{peer}"' for peer in peers)
    path.write_text(path.read_text().replace("peers = []", f"peers = [{written}]"))


def start(node: DevNode) -> subprocess.CompletedProcess[str]:
    """Run the manager, which is to end by itself."""
    command = [sys.executable, "-m", "lucid.services.manager", "--config", str(node.folder / "node.toml")]
    environment = {**os.environ, "LUCID_PORT": str(node.ports["manager"])}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_where_peers_are_is_for_the_node_s_own_only(node: DevNode) -> None:
    url = node.url("manager")
    public = httpx.get(f"{url}/peers").text
    assert "ff" * 32 in public and "127.0.0.1" not in public
    assert httpx.get(f"{url}/node/peers").status_code == 401
    own = httpx.get(f"{url}/node/peers", headers={"Authorization": f"Bearer {node.token}"}).json()
    [peer] = own["peers"]
    assert peer["address"] == "tcp://127.0.0.1:1" and "refused" in peer["trouble"]
    assert peer["state"]["connected"] is False


def test_there_is_no_way_in_for_peers_over_http(node: DevNode) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "A"}
    assert httpx.get(f"{node.url('manager')}/peer", headers=upgrade).status_code in (400, 404)


def test_figures_of_the_peer_port_are_metrics(node: DevNode) -> None:
    with socket.create_connection(("127.0.0.1", node.peer_port)) as stranger:
        stranger.sendall(b"\xff" * 8)
        assert stranger.recv(1) == b""
    figures = httpx.get(f"{node.url('manager')}/metrics").text
    assert "lucid_peers_turned_away 1.0" in figures and "lucid_peers_failed 0.0" in figures


def test_a_peer_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    [node] = Devnet(tmp_path, 1, 1_000).nodes
    named(node, f"{'ff' * 32}@tcp://127.0.0.1:1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", node.peer_port))
        taken.listen()
        done = start(node)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert f"peer_bind and peer_port: it cannot listen at 127.0.0.1:{node.peer_port}" in done.stderr


def test_a_peer_of_the_protocol_before_is_one_sentence_that_says_what_to_write(tmp_path: Path) -> None:
    [node] = Devnet(tmp_path, 1, 1_000).nodes
    named(node, f"{'ff' * 32}@ws://127.0.0.1:8086")
    done = start(node)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "write NODE-ID@tcp://HOST:8088" in done.stderr
