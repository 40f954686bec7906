"""Waiting for the engine of a node to be connected to its manager again."""

from __future__ import annotations

import time

import httpx

from lucid.services.devnet import Devnet


def await_own_engine(network: Devnet) -> None:
    """Wait until the node's own engine is connected again, and the chain goes on."""
    node = network.nodes[0]

    def height() -> int:
        # A chain that has only begun has no block yet, and says so.
        return int(httpx.get(f"{node.url('manager')}/blocks/latest", timeout=30.0).json().get("height", 0))

    began, deadline = height(), time.monotonic() + 90
    while height() < began + 2:
        assert time.monotonic() < deadline, httpx.get(f"{node.url('manager')}/health", timeout=30.0).text
        time.sleep(0.2)
