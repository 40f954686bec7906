"""Networks of real processes of which only what a test needs runs: each service is a Python of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from lucid.services.devnet import Devnet
from lucid.services.devnode import SERVICES, DevNode

CHAIN = ("manager", "engine")
"""The services that make blocks."""


@contextmanager
def running(network: Devnet, whole: Sequence[DevNode] = ()) -> Iterator[Devnet]:
    """Run the chain of every node, and of the nodes that are named all services; nothing is waited for."""
    try:
        for node in network.nodes:
            for service in SERVICES if node in whole else CHAIN:
                node.start(service)
        yield network
    finally:
        network.stop()
