"""The probe of a soak: nodes that nothing was done to are well, say so, and have a chain that grows."""

from __future__ import annotations

import threading
import time

import httpx

from harness.soak.asking import health, height, reasons
from harness.soak.faults import HEALED_S
from harness.soak.trial import PROBE_S, SoakTrial
from lucid.services.devnode import SERVICES, DevNode

SLACK_S = 8.0
"""How much longer than the protocol allows a node that says healthy may show the same height."""


def probe(trial: SoakTrial, ended: threading.Event) -> None:
    """Nodes that nothing was done to are well and say so, and who says so has a chain that grows."""
    unwell: dict[str, float] = {}
    grown: dict[str, tuple[int, float]] = {}
    with httpx.Client(timeout=2, trust_env=False) as client:
        while not ended.wait(PROBE_S):
            for node in trial.network.nodes:
                for service in SERVICES:
                    _probe_service(trial, client, node, service, unwell)
                _probe_height(trial, client, node, grown)


def _probe_service(
    trial: SoakTrial, client: httpx.Client, node: DevNode, service: str, unwell: dict[str, float]
) -> None:
    name, now = f"{node.name}'s {service}", time.monotonic()
    said = health(client, node, service)
    if said == "healthy" or node is trial.hurt:
        unwell.pop(name, None)
    elif now - unwell.setdefault(name, now) > HEALED_S:
        trial.say(f"{name} says {said}, and nothing was done to it: {reasons(client, node, service)}")
        unwell[name] = now + 60  # once a minute


def _probe_height(trial: SoakTrial, client: httpx.Client, node: DevNode, grown: dict[str, tuple[int, float]]) -> None:
    now, at = time.monotonic(), height(client, node)
    trial.blocks = max(trial.blocks, at or 0)
    before, since = grown.get(node.name, (0, now))
    if at is None or at != before or node is trial.hurt:
        grown[node.name] = (before if at is None else at, now)
    elif now - since > trial.allowed_s + SLACK_S and health(client, node, "manager") == "healthy":
        trial.say(f"{node.name}'s manager says healthy, and is at height {at} for {now - since:.0f} s")
        grown[node.name] = (at, now)
