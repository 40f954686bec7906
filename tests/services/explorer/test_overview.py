"""What a block manager shows of its node and its chain: peers and their lag, sessions, services, chunks."""

from __future__ import annotations

import uuid
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from lucid.chain.errors import Code
from lucid.client import Client, calls
from lucid.client.following import await_final
from lucid.services.devnet import Devnet
from lucid.services.devnode import DevNode
from tests.networks import CHAIN, running
from tests.services.test_anchoring import manifest
from tests.waiting import wait_until


def ask(node: DevNode, path: str, service: str = "manager", status: int = 200) -> Any:
    """What a service of a node answers."""
    found = httpx.get(node.url(service) + path, timeout=60)
    assert found.status_code == status, found.text
    return found.json()


def test_sessions_and_their_states(lone: Devnet) -> None:
    node, session = lone.nodes[0], uuid.uuid4()
    with Client(node.url("anchoring"), node.url("data"), node.token) as client:
        client.send(calls.anchor_session(manifest(lone, session)))
        height = await_final(client, session, 60).height
    assert height is not None
    [named] = ask(node, f"/sessions/{session}")["sessions"]
    assert (named["status"], named["height"]) == ("final", height)
    table = ask(node, f"/sessions?from={height}&limit=1")
    assert str(session) in [each["session"] for each in table["final"]]
    assert (table["first"], table["last"], table["next"]) == (height, height, (height - 1) or None)
    assert table["waiting"] == ask(node, "/sessions", "anchoring") == {"waiting": 0, "sessions": []}
    assert ask(node, f"/sessions/{uuid.uuid4()}", status=404)["error"]["code"] == Code.SESSION_UNKNOWN.code
    ask(node, "/sessions/x", status=400)
    ask(node, "/sessions?limit=0", status=400)


def test_a_node_of_its_own_holds_all_and_is_no_peer(lone: Devnet) -> None:
    node = lone.nodes[0]
    found = ask(node, "/nodes")
    [only] = found["nodes"]
    assert found["here"] == only["node"] == node.key.hex() and only["peer"] is None
    member = only["member"]
    assert (member["name"], member["validator"], member["retired"]) == ("node0", True, False)
    assert (member["double_votes"], member["evidence_until_epoch"]) == ([], 0)
    assert 1 <= ask(node, "/chain")["slot_views_left"] <= lone.genesis.parameters.slot_views


def is_well(node: DevNode) -> bool:
    """Whether a node's manager answers that it is healthy."""
    try:
        return httpx.get(f"{node.url('manager')}/health", timeout=60).is_success
    except httpx.HTTPError:
        return False


def test_what_is_down_is_shown_and_how_far_behind(tmp_path: Path) -> None:
    made = Devnet(tmp_path, 4, 1_000)
    with running(made, made.nodes[:1]) as network:
        node, lost = network.nodes[0], network.nodes[3]
        wait_until(partial(is_well, node), "its manager is healthy")

        def peer() -> dict[str, Any]:
            found = {each["node"]: each for each in ask(node, "/peers")["peers"]}
            return dict(found[lost.key.hex()])

        wait_until(lambda: ask(node, "/chain")["height"] >= 3 and peer()["behind"] in (0, 1))
        assert peer()["heard_ms"] > 0 and peer()["height"] > 0
        for service in CHAIN:
            lost.processes[service].terminate()
        for service in CHAIN:
            lost.processes[service].wait(60)
        wait_until(lambda: not peer()["connected"] and peer()["behind"] >= 3)
        wait_until(lambda: {each["status"] for each in ask(node, "/services")["services"]} == {"healthy"})
        node.processes["data"].kill()
        node.processes["data"].wait(60)

        def data() -> dict[str, Any]:
            return dict(ask(node, "/services")["services"][3])

        wait_until(lambda: data()["status"] == "away")
        assert data()["conditions"][0]["remedy"]
        refused = ask(node, "/data", status=503)["error"]["message"]
        assert "127.0.0.1" not in refused and "data" in refused
        for service in CHAIN:
            lost.start(service)
        wait_until(lambda: peer()["connected"] and peer()["behind"] <= 1)
