"""What has to hold of a scenario beyond the types of its values."""

from __future__ import annotations

from typing import Any

import msgspec

from lucid.chain.genesis import NAME_BYTES, Activation
from lucid.chain.parameters import DAY_MS, Parameters
from lucid.machines.limits import Limits
from sim.durations import Duration, duration_ms
from sim.faults.fault import Fault
from sim.latency import PROFILES, region_names
from sim.links import LINKS
from sim.nodeindexes import check_nodes
from sim.respelling import respelled
from sim.scenario import Scenario
from sim.scenarioerror import ScenarioError
from sim.valueerror import wrong_value

MAX_DURATION_MS = 3_650 * DAY_MS


def changed(scenario: Scenario, **values: Any) -> Scenario:
    """The scenario with other values for some keys; raises `ScenarioError` naming the key."""
    return checked(msgspec.to_builtins(scenario) | values)


def checked(data: dict[str, Any]) -> Scenario:
    """A scenario of these values; raises `ScenarioError` naming the key."""
    data = respelled(data)
    try:
        scenario = msgspec.convert(data, Scenario)
    except msgspec.ValidationError as error:
        raise wrong_value(str(error), data, Scenario) from None
    _check(scenario)
    return scenario


def _check(scenario: Scenario) -> None:
    """Check what types cannot say; raises `ScenarioError` with the key."""
    if scenario.profile not in PROFILES:
        raise ScenarioError(f"no {scenario.profile!r}; there are {', '.join(PROFILES)}", "profile")
    unknown = [region for region in scenario.regions if region not in region_names()]
    if unknown:
        raise ScenarioError(f"no {unknown[0]!r}; there are {', '.join(region_names())}", "regions")
    _check_duration("duration", scenario.duration, 1)
    _check_duration("calm", scenario.calm, 0)
    if scenario.calm_ms >= scenario.duration_ms:
        raise ScenarioError("must be before the end of the run", "calm")
    for key in scenario.parameters:
        if key not in Parameters.__struct_fields__:
            raise ScenarioError("no such parameter", f"parameters.{key}")
    for key in scenario.rules:
        if key not in Activation.__struct_fields__:
            raise ScenarioError("no such key", f"rules.{key}")
    if scenario.rules and "version" not in scenario.rules:
        raise ScenarioError("is missing", "rules.version")
    for key, value in scenario.limits.items():
        if key not in Limits.__struct_fields__ or key == "snapshot_blocks":
            raise ScenarioError("no such limit", f"limits.{key}")
        if value < 1:
            raise ScenarioError("must be at least 1", f"limits.{key}")
    _check_loads(scenario)
    _check_pools(scenario)
    _check_links(scenario)
    scenario.genesis([bytes([index // 256, index % 256]) * 16 for index in range(scenario.nodes)], 0, ())
    for place, fault in enumerate(scenario.fault):
        _check_fault(f"fault[{place}]", fault, scenario.nodes)


def _check_loads(scenario: Scenario) -> None:
    load = scenario.workload
    if len(scenario.capacities) > scenario.nodes:
        raise ScenarioError(f"there are {scenario.nodes} nodes", "capacities")
    if load is not None and load.most_bytes < load.least_bytes:
        raise ScenarioError(f"must be at least least_bytes, {load.least_bytes}", "workload.most_bytes")


def _check_pools(scenario: Scenario) -> None:
    for pool in scenario.pools:
        if not 0 < len(pool.encode()) <= NAME_BYTES:
            raise ScenarioError(f"the name must have 1 to {NAME_BYTES} bytes", f"pools.{pool}")
    _check_groups("pools", "pool", scenario.pools, scenario.nodes)


def _check_links(scenario: Scenario) -> None:
    for kind in scenario.links:
        if kind not in LINKS:
            raise ScenarioError(f"no such link; there are {', '.join(LINKS)}", f"links.{kind}")
    _check_groups("links", "link", scenario.links, scenario.nodes)


def _check_groups(table: str, noun: str, groups: dict[str, list[int]], nodes: int) -> None:
    """Check that names of a table name nodes that exist, none of them twice."""
    home: dict[int, str] = {}
    for name, members in groups.items():
        key = f"{table}.{name}"
        check_nodes(key, members, nodes)
        for index in members:
            if index in home:
                raise ScenarioError(f"node {index} is in {noun} {home[index]} already", key)
            home[index] = name


def _check_fault(where: str, fault: Fault, nodes: int) -> None:
    _check_duration(f"{where}.at", fault.at, 0)
    if fault.until is not None:
        _check_duration(f"{where}.until", fault.until, fault.at_ms + 1)
    try:
        fault.check(nodes)
    except ScenarioError as error:
        raise ScenarioError(error.sentence, f"{where}.{error.key}") from None


def _check_duration(key: str, value: Duration, least_ms: int) -> None:
    try:
        ms = duration_ms(value)
    except ScenarioError as error:
        raise ScenarioError(str(error), key) from None
    if not least_ms <= ms <= MAX_DURATION_MS:
        raise ScenarioError(f"must be within {least_ms}..{MAX_DURATION_MS} ms", key)
