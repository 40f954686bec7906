"""A node of a devnet is what its services say; its processes get their ports and leave their words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from lucid.services.devnet import Devnet
from lucid.services.devnode import SERVICES, DevNode, NodeStatus
from tests.services.scripted import runs


def asked(node: DevNode, answers: dict[str, Any]) -> NodeStatus:
    """What a node says of itself where its services answer this, by service and path; no answer is none."""

    def answer(request: httpx.Request) -> httpx.Response:
        service = next(name for name, port in node.ports.items() if port == request.url.port)
        found = answers.get(service + request.url.raw_path.decode())
        if found is None:
            raise httpx.ConnectError("nobody listens")
        return httpx.Response(503 if found == {"status": "degraded"} else 200, json=found)

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        return node.standing(client)


def test_a_node_is_what_its_services_say(tmp_path: Path) -> None:
    node = Devnet(tmp_path, 1, 1_000).nodes[0]
    nothing = dict.fromkeys(SERVICES, None)
    assert asked(node, {}) == NodeStatus("node0", nothing, None, None, None)
    blocks, peers = "manager/blocks?limit=1", "manager/peers"
    empty = asked(node, {blocks: {"blocks": []}, peers: {"peers": []}, "engine/health": {"status": "degraded"}})
    assert empty == NodeStatus("node0", {**nothing, "engine": "degraded"}, 0, None, 0)
    there = {blocks: {"blocks": [{"height": 7, "hash": "ab"}]}, peers: {"peers": [{"connected": True}] * 2}}
    assert asked(node, there)[2:] == (7, "ab", 2)


def test_a_process_gets_its_port_and_leaves_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUCID_TOKEN", "of whoever starts it")
    runs(monkeypatch, 'echo "$1 $LUCID_PORT $LUCID_TOKEN" >&2; exit 3')
    node = Devnet(tmp_path, 1, 1_000).nodes[0]
    assert node.ended() == {}
    for service in ("engine", "data"):
        node.start(service)
        assert node.processes[service].wait(60) == 3
        assert node.last_words(service) == f"lucid.services.{service} {node.ports[service]}"
        assert (node.folder / f"{service}.log").stat().st_mode & 0o077 == 0
    assert node.ended() == {"engine": 3, "data": 3}
