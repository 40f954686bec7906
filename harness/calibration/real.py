"""The real side of a calibration: a devnet whose connections are delayed, under a scenario's load."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import NamedTuple

import httpx

from harness.calibration.clients import Clients, Promise
from harness.soak.links import Links
from lucid.chain.parameters import Parameters
from lucid.chain.versions import FIRST_RULES
from lucid.services.devnet import Devnet
from sim.scenario import Scenario

WARM_HEIGHT = 3
"""The nodes have found each other and settled once all have so many blocks."""
LEAST_BLOCKS = 4
"""A stretch has so many blocks at least, however short it is to be."""
WARM_S = 180.0
SERVICES = ("manager", "engine")


class RealError(Exception):
    """The real network does not run; one sentence."""


class RealNetwork(NamedTuple):
    """Real nodes that have found each other, behind links, under the scenario's load."""

    devnet: Devnet
    links: Links
    client: httpx.Client
    clients: Clients

    def heights(self) -> list[int]:
        """How high each node is."""
        return [node.standing(self.client).height or 0 for node in self.devnet.nodes]

    def is_final(self, promise: Promise) -> bool:
        """Whether the node that accepted a transaction says that it is final."""
        url = f"{self.devnet.nodes[promise.node].url('engine')}/transactions/{promise.transaction.hex()}"
        with suppress(httpx.HTTPError, ValueError):
            return bool(self.client.get(url).json().get("status") == "final")
        return False


@contextmanager
def real_network(
    scenario: Scenario, folder: Path, delay: Callable[[int, int], float], say: Callable[[str], None]
) -> Iterator[RealNetwork]:
    """Real nodes as a scenario says, once they are warm; raises `RealError`. Their journals are in the folder.

    `delay` draws the seconds that a message takes from a node to another one.
    """
    with ExitStack() as stack:
        rules = scenario.rules.get("version", FIRST_RULES)
        parameters = Parameters(**scenario.parameters)
        network = Devnet(folder, scenario.nodes, parameters=parameters, journal=True, rules=rules)
        links = Links([node.peer_port for node in network.nodes], delay)
        stack.callback(links.close)
        _through(network, links)
        stack.callback(network.stop)
        say(f"starting {scenario.nodes} real nodes")
        for node in network.nodes:
            for service in SERVICES:
                node.start(service)
        client = stack.enter_context(httpx.Client(timeout=5.0, trust_env=False))
        clients = Clients(scenario, network)
        warm = RealNetwork(network, links, client, clients)
        _reached(warm, WARM_HEIGHT)
        stack.callback(clients.stop)
        clients.start()
        yield warm


class Stretch(NamedTuple):
    """What is measured of a run: the blocks above a height, what happened from a moment on (ms since 1970)."""

    above: int
    from_ms: int


def real(
    scenario: Scenario,
    folder: Path,
    seconds: float,
    delay: Callable[[int, int], float],
    say: Callable[[str], None],
    beside: AbstractContextManager[object] | None = None,
) -> Stretch:
    """Run a devnet as a scenario says for so many seconds from when it is warm; raises `RealError`.

    `beside` is entered once it is warm, and left at the end of the stretch.
    """
    with real_network(scenario, folder, delay, say) as network, beside or nullcontext():
        above, from_ms = max(network.heights()), time.time_ns() // 1_000_000
        say(f"measuring real nodes for {seconds:,.0f} s from height {above} on")
        time.sleep(seconds)
        _reached(network, above + LEAST_BLOCKS)
    return Stretch(above, from_ms)


def _through(network: Devnet, links: Links) -> None:
    """Have every node dial the others through the links."""
    for number, node in enumerate(network.nodes):
        text = node.settings.read_text(encoding="utf-8")
        for other, each in enumerate(network.nodes):
            if each is not node:
                text = text.replace(f"tcp://127.0.0.1:{each.peer_port}", f"tcp://127.0.0.1:{links.port(number, other)}")
        node.settings.write_text(text, encoding="utf-8")


def _reached(network: RealNetwork, height: int) -> None:
    """Wait until every node is as high. Raises `RealError`."""
    deadline = time.monotonic() + WARM_S
    while True:
        heights = network.heights()
        if min(heights) >= height:
            return
        for node in network.devnet.nodes:
            for service, status in node.ended().items():
                raise RealError(f"{node.name}'s {service} ended with status {status}: {node.last_words(service)}")
        if time.monotonic() > deadline:
            raise RealError(f"the real nodes are at heights {heights} after {WARM_S:.0f} s, and should be at {height}")
        time.sleep(0.2)
