"""A devnet that is being tried: what was accepted, what was done to it, and what went wrong."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import NamedTuple

import httpx

from harness.soak.asking import health, ready, standing
from harness.soak.links import Links
from lucid.services.devnet import Devnet
from lucid.services.devnode import SERVICES, DevNode
from lucid.services.process.mongod import Mongod

STARTED_S = 120.0
"""How long a busy machine may take to start a process."""
PROBE_S = 0.5
LEVEL_S = 90.0
LEVEL_BLOCKS = 3


class Session(NamedTuple):
    """A session that was accepted, and the one chunk that it has."""

    node: DevNode
    identity: str
    chunk: bytes


class SoakFault(NamedTuple):
    """Something done to a service of a node."""

    kind: str
    node: DevNode
    service: str

    def __str__(self) -> str:
        return f"{self.kind} {self.node.name}'s {self.service}"


class SoakTrial:
    """One network under trial. `wrong` are sentences on what went wrong; `healed` has how long each kind of fault took
    to heal, in seconds from its end until all of its node's services were healthy."""

    def __init__(
        self, network: Devnet, links: Links, small: dict[str, Path], mongods: dict[str, Mongod], seed: int
    ) -> None:
        """`small` are the nodes' disks that may be filled, `mongods` each node's own MongoDB, by the nodes' names."""
        self.network = network
        self.links = links
        self.small = small
        self.mongods = mongods
        self.chance = random.Random(seed)
        self.wrong: list[str] = []
        self.healed: dict[str, list[float]] = {}
        self.accepted: list[Session] = []
        self.refused = 0
        self.blocks = 0
        """How many blocks the chain was seen to have."""
        self.hurt: DevNode | None = None
        """The node that something is being done to: it may say what it likes."""

    def say(self, sentence: str) -> None:
        """Note, and show at once, what went wrong."""
        self.wrong.append(sentence)
        tell(f"WRONG: {sentence}")
        for node in self.network.nodes:
            tell(f"    {node.name}: {standing(node)}")

    @property
    def allowed_s(self) -> float:
        """How long the protocol may take from one final block to the next."""
        parameters = self.network.genesis.parameters
        return (parameters.block_interval_ms + 6 * parameters.slot_timeout_ms) / 1000

    @property
    def epoch_s(self) -> float:
        """How long an epoch takes when no view is skipped."""
        parameters = self.network.genesis.parameters
        return parameters.epoch_views * parameters.block_interval_ms / 1000

    def stored(self, node: DevNode) -> Session | None:
        """A session that a node accepted, by chance."""
        mine = [each for each in list(self.accepted) if each.node is node]
        return self.chance.choice(mine) if mine else None

    def await_well(self, node: DevNode, within_s: float) -> float | None:
        """Wait until all services of a node are healthy; returns how long that took from now on, None where it took
        longer than that from when all of its processes had started. How fast those start is the machine's."""
        began = time.monotonic()
        started = began
        with httpx.Client(timeout=2, trust_env=False) as client:
            while not all(ready(client, node, each) for each in SERVICES) and started < began + STARTED_S:
                time.sleep(0.1)
                started = time.monotonic()
            while any(health(client, node, each) != "healthy" for each in SERVICES):
                if time.monotonic() - started > within_s:
                    return None
                time.sleep(0.1)
        return time.monotonic() - began


def tell(line: str) -> None:
    """Show a line at once, with its time as the logs have it."""
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)
