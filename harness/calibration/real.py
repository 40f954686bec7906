"""The real side of a calibration: a devnet whose connections are delayed as a scenario's links are, under its load."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random

import httpx
from msgspec import structs

from harness.soak.links import Links
from lucid.chain.codec import encode
from lucid.chain.genesis import Parameters
from lucid.chain.transactions import SessionAnchor, claim_message
from lucid.poot.crypto import Edwards25519
from lucid.services.devnet import Devnet
from sim.disktime import quantile_table
from sim.exponential import exponential_us
from sim.latency import PPM, PROFILES, base_latency_us, region_names
from sim.network import JITTER_MASK
from sim.scenario import Scenario

WARM_HEIGHT = 3
"""The nodes have found each other and settled once all have so many blocks."""
LEAST_BLOCKS = 4
"""A stretch has so many blocks at least, however short it is to be."""
WARM_S = 180.0
SERVICES = ("manager", "engine")


class RealError(Exception):
    """The real network does not run; one sentence."""


def links_us(scenario: Scenario) -> list[list[int]]:
    """One-way microseconds from each node to each other one by the scenario's links, jitter aside."""
    places = scenario.regions or region_names()
    return base_latency_us(PROFILES[scenario.profile], [places[index % len(places)] for index in range(scenario.nodes)])


def steady(scenario: Scenario) -> Callable[[int, int], float]:
    """The seconds that every message takes from a node to another one: the links of the scenario without jitter."""
    base_us = links_us(scenario)
    return lambda sender, receiver: base_us[sender][receiver] / 1_000_000


def delays(scenario: Scenario) -> Callable[[int, int], float]:
    """Draws how many seconds one message takes from a node to another one: the links of the scenario, jitter too."""
    base_us = links_us(scenario)
    jitter, draw = quantile_table(PROFILES[scenario.profile].jitter), Random(f"{scenario.seed}/delays").getrandbits
    return lambda sender, receiver: base_us[sender][receiver] * jitter[draw(16) & JITTER_MASK] / PPM / 1_000_000


def real(
    scenario: Scenario, folder: Path, seconds: float, delay: Callable[[int, int], float], say: Callable[[str], None]
) -> int:
    """Run a devnet as a scenario says for so many seconds from when it is warm; raises `RealError`.

    `delay` draws the seconds that a message takes from a node to another one. The journals are in the folder; returns
    the height above which the stretch begins.
    """
    with ExitStack() as stack:
        network = Devnet(folder, scenario.nodes, parameters=Parameters(**scenario.parameters), journal=True)
        links = Links([node.peer_port for node in network.nodes], delay)
        stack.callback(links.close)
        _through(network, links)
        stack.callback(network.stop)
        say(f"starting {scenario.nodes} real nodes")
        for node in network.nodes:
            for service in SERVICES:
                node.start(service)
        client = stack.enter_context(httpx.Client(timeout=5.0, trust_env=False))
        above = max(_reached(network, client, WARM_HEIGHT))
        clients = Clients(scenario, network)
        stack.callback(clients.stop)
        clients.start()
        say(f"measuring real nodes for {seconds:,.0f} s from height {above} on")
        time.sleep(seconds)
        _reached(network, client, above + LEAST_BLOCKS)
        clients.stop()
    return above


def _through(network: Devnet, links: Links) -> None:
    """Have every node dial the others through the links."""
    for number, node in enumerate(network.nodes):
        text = node.settings.read_text(encoding="utf-8")
        for other, each in enumerate(network.nodes):
            if each is not node:
                text = text.replace(f"tcp://127.0.0.1:{each.peer_port}", f"tcp://127.0.0.1:{links.port(number, other)}")
        node.settings.write_text(text, encoding="utf-8")


def _reached(network: Devnet, client: httpx.Client, height: int) -> list[int]:
    """Wait until every node is as high; returns the nodes' heights. Raises `RealError`."""
    deadline = time.monotonic() + WARM_S
    while True:
        heights = [node.standing(client).height or 0 for node in network.nodes]
        if min(heights) >= height:
            return heights
        for node in network.nodes:
            for service, status in node.ended().items():
                raise RealError(f"{node.name}'s {service} ended with status {status}: {node.last_words(service)}")
        if time.monotonic() > deadline:
            raise RealError(f"the real nodes are at heights {heights} after {WARM_S:.0f} s, and should be at {height}")
        time.sleep(0.2)


class Clients(threading.Thread):
    """Hands anchors to nodes drawn by chance: the scenario's load."""

    def __init__(self, scenario: Scenario, network: Devnet) -> None:
        super().__init__(daemon=True)
        self.refused = self.accepted = 0
        self._every_us = scenario.anchor_every_ms * 1_000
        self._fixed = scenario.anchor_arrivals == "fixed"
        self._network = network
        self._random = Random(f"{scenario.seed}/clients")
        self._over = threading.Event()
        self._crypto = Edwards25519()

    def stop(self) -> None:
        """Hand over no more."""
        self._over.set()

    def run(self) -> None:
        """See `threading.Thread`."""
        if not self._every_us:
            return
        due = time.monotonic()
        with httpx.Client(timeout=5.0, trust_env=False) as client:
            while not self._over.wait(max(0.0, due - time.monotonic())):
                due += (self._every_us if self._fixed else exponential_us(self._random, self._every_us)) / 1_000_000
                node = self._random.choice(self._network.nodes)
                with suppress(httpx.HTTPError):
                    answer = client.post(
                        f"{node.url('engine')}/transactions", json={"payload": encode(self._anchor()).hex()}
                    )
                    self.accepted += answer.status_code == 202
                    self.refused += answer.status_code != 202

    def _anchor(self) -> SessionAnchor:
        draw, owner = self._random.randbytes, self._random.randbytes(32)
        identity = bytearray(draw(16))
        identity[6], identity[8] = identity[6] & 0x0F | 0x40, identity[8] & 0x3F | 0x80
        ended_ms = time.time_ns() // 1_000_000
        chunks = 1 + self._random.randrange(200)
        blank = SessionAnchor(
            session=bytes(identity),
            owner=self._crypto.public_key(owner),
            started_ms=ended_ms - 600_000,
            ended_ms=ended_ms,
            manifest=draw(32),
            root=draw(32),
            chunks=chunks,
            total_bytes=chunks << 20,
            policy=b"",
            signature=bytes(64),
        )
        message = claim_message(self._network.genesis.chain_id, blank)
        return structs.replace(blank, signature=self._crypto.sign(owner, message))
