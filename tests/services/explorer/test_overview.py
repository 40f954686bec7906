"""What a block manager shows of its node: peers and their lag, services, chunks."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import httpx

from lucid.services.devnet import Devnet
from lucid.services.devnode import DevNode
from tests.networks import CHAIN, running
from tests.services.explorer.asked import ask
from tests.waiting import wait_until


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
