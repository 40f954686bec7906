"""How long messages take between the nodes of a scenario, for connections of real nodes."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from sim.disktime import quantile_table
from sim.latency import PPM, PROFILES, base_latency_us, region_names
from sim.network import JITTER_MASK
from sim.scenario import Scenario


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
