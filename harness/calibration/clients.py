"""The clients of a calibration: they hand a scenario's load to real nodes."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from random import Random
from typing import NamedTuple

import httpx
from msgspec import structs

from lucid.chain.codec import encode
from lucid.chain.transactions import SessionAnchor, claim_message
from lucid.poot.crypto import Edwards25519
from lucid.services.devnet import Devnet
from sim.exponential import exponential_us
from sim.scenario import Scenario


class Promise(NamedTuple):
    """A node's service said at a time, by this machine's clock, that it has taken a transaction."""

    at_ms: int
    node: int
    transaction: bytes


class Clients(threading.Thread):
    """Hands anchors to nodes drawn by chance: the scenario's load."""

    def __init__(self, scenario: Scenario, network: Devnet) -> None:
        super().__init__(daemon=True)
        self.refused = 0
        self.promised: list[Promise] = []
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
                number = self._random.randrange(len(self._network.nodes))
                url = f"{self._network.nodes[number].url('engine')}/transactions"
                with suppress(httpx.HTTPError):
                    answer = client.post(url, json={"payload": encode(self._anchor()).hex()})
                    if answer.status_code == 202:
                        self.promised.append(
                            Promise(time.time_ns() // 1_000_000, number, bytes.fromhex(answer.json()["id"]))
                        )
                    else:
                        self.refused += 1

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
