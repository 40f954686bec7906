"""Scenarios: what a run is made of, read from TOML, checked, and written back complete."""

from __future__ import annotations

import difflib
import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from lucid.chain.errors import GenesisError
from lucid.chain.genesis import DAY_MS, NAME_BYTES, Activation, Genesis, GenesisNode, GenesisOfRules, Parameters
from lucid.machines.limits import Limits
from sim.chunkload import ChunkLoad
from sim.durations import Duration, duration_ms
from sim.faults import AnyFault
from sim.faults.fault import Fault
from sim.flights import RECEIVERS
from sim.latency import PROFILES, region_names
from sim.links import LINKS
from sim.scenarioerror import ScenarioError, check_nodes
from sim.valueerror import wrong_value

__all__ = [
    "AnyFault",
    "Duration",
    "Fault",
    "Scenario",
    "ScenarioError",
    "changed",
    "dump",
    "duration_ms",
    "load",
    "parse",
    "shipped",
]

MAX_DURATION_MS = 3_650 * DAY_MS
TABLE_HEAD = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]")
KEY_VALUE = re.compile(r"\s*([\w\"'.\- ]+?)\s*=")


class Scenario(msgspec.Struct, forbid_unknown_fields=True):
    """A run: the network, the load and the faults. Everything else follows from the seed."""

    name: Annotated[str, Meta(pattern=r"\A\w[\w.-]{0,63}\Z")] = "default"
    description: str = ""
    nodes: Annotated[int, Meta(ge=1, le=RECEIVERS)] = 10
    duration: Duration = "1h"
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 1
    profile: str = "regions"
    crypto: Literal["real", "modelled"] = "modelled"
    regions: list[str] = field(default_factory=list)
    pools: dict[str, list[int]] = field(default_factory=dict)
    links: dict[str, list[int]] = field(default_factory=dict)
    transport: Literal["reliable", "datagram"] = "reliable"
    slow_start: bool = False
    bandwidth_mbps: Annotated[int, Meta(ge=1, le=100_000)] = 100
    cpu: Literal["pi4", "pi5", "server"] = "pi4"
    disk: Literal["constant", "microsd", "sata", "nvme"] = "constant"
    disk_us: Annotated[int, Meta(ge=0, le=10_000_000)] = 2_000
    anchor_every_ms: Annotated[int, Meta(ge=0, le=DAY_MS)] = 1_000
    anchor_arrivals: Literal["poisson", "fixed"] = "poisson"
    holdings_every_ms: Annotated[int, Meta(ge=0, le=DAY_MS)] = 0
    relays_every_ms: Annotated[int, Meta(ge=0, le=DAY_MS)] = 0
    schedule: Literal["ranked", "weighted"] = "ranked"
    snapshot_blocks: Annotated[int, Meta(ge=1, le=2**53)] = 2_160
    share_execution: bool = True
    parameters: dict[str, int] = field(default_factory=dict)
    rules: dict[str, int] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    workload: ChunkLoad | None = None
    calm: Duration = 0
    fault: list[AnyFault] = field(default_factory=list)

    @property
    def duration_ms(self) -> int:
        """Simulated length in milliseconds."""
        return duration_ms(self.duration)

    @property
    def calm_ms(self) -> int:
        """From when on there are no faults but those that stay and the Byzantine are silent, in ms; 0 for never."""
        return duration_ms(self.calm)

    def genesis(self, keys: list[bytes], genesis_time_ms: int, administrators: tuple[bytes, ...]) -> Genesis:
        """The genesis document of a network of these node keys; raises `ScenarioError`."""
        pools = {index: pool for pool, members in self.pools.items() for index in members}
        nodes = tuple([GenesisNode(key, f"n{index:02}", pools.get(index, "")) for index, key in enumerate(keys)])
        try:
            parameters = Parameters(**self.parameters)
            threshold = (len(administrators) + 1) // 2
            fields = (genesis_time_ms, nodes, administrators, threshold, parameters)
            if not self.rules:
                return Genesis(*fields).check()
            return GenesisOfRules(*fields, rules=Activation(**self.rules)).check()
        except GenesisError as error:
            key, sentence = error.detail.split(" ", maxsplit=1)
            raise ScenarioError(sentence, key) from None


def shipped() -> dict[str, str]:
    """Texts of the shipped scenarios by name."""
    folder = resources.files("sim").joinpath("scenarios")
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    return {entry.name[:-5]: entry.read_text("utf-8") for entry in entries if entry.name.endswith(".toml")}


def load(name: str) -> Scenario:
    """A shipped scenario by name, or one from a file; raises `ScenarioError`."""
    scenarios = shipped()
    if name in scenarios:
        return parse(scenarios[name], name)
    path = Path(name)
    if path.is_dir():
        path = path / "scenario.toml"
    if not path.is_file():
        near = difflib.get_close_matches(name, scenarios, 1)
        meant = f" (did you mean {near[0]!r}?)" if near else ""
        raise ScenarioError(f"no scenario {name!r}{meant}: neither a file nor one of {', '.join(scenarios)}")
    try:
        return parse(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{name}: {error}") from None


def parse(text: str, source: str) -> Scenario:
    """Read and check a scenario; raises `ScenarioError` naming the key and its line."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{source}: {error}") from None
    try:
        return _checked(data)
    except ScenarioError as error:
        raise ScenarioError(f"{source}:{_line(text, error.key)}: {error}") from None


def changed(scenario: Scenario, **values: Any) -> Scenario:
    """The scenario with other values for some keys; raises `ScenarioError` naming the key."""
    return _checked(msgspec.to_builtins(scenario) | values)


def _checked(data: dict[str, Any]) -> Scenario:
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
    _check_workload(scenario.workload)
    _check_pools(scenario)
    _check_links(scenario)
    scenario.genesis([bytes([index // 256, index % 256]) * 16 for index in range(scenario.nodes)], 0, ())
    for place, fault in enumerate(scenario.fault):
        _check_fault(f"fault[{place}]", fault, scenario.nodes)


def _check_workload(load: ChunkLoad | None) -> None:
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


def _line(text: str, key: str) -> int:
    """The line that sets a key such as `fault[1].node`, else that of the table around it, else 1."""
    counts: dict[str, int] = {}
    found, best, table = 1, "", ""
    for number, line in enumerate(text.splitlines(), 1):
        head = TABLE_HEAD.match(line)
        pair = None if head else KEY_VALUE.match(line)
        if head:
            table = _plain(head.group(2))
            if head.group(1) == "[[":
                counts[table] = counts.get(table, -1) + 1
                table += f"[{counts[table]}]"
            name = table
        elif pair:
            name = _plain(f"{table}.{pair.group(1)}" if table else pair.group(1))
        else:
            continue
        if len(name) > len(best) and (key == name or key.startswith((f"{name}.", f"{name}["))):
            found, best = number, name
    return found


def _plain(key: str) -> str:
    """A TOML key without quotes and spaces."""
    return re.sub(r"[\"'\s]", "", key)


def dump(scenario: Scenario) -> str:
    """The scenario as complete TOML that `parse` reads back."""
    values = msgspec.to_builtins(scenario)
    tables = {key: values.pop(key) for key in ("parameters", "rules", "limits", "pools", "links", "workload", "fault")}
    lines = [f"{key} = {_toml(value)}" for key, value in values.items()]
    for key in ("parameters", "rules", "limits", "pools", "links", "workload"):
        if tables[key]:
            lines += ["", f"[{key}]", *(f"{_toml(name)} = {_toml(value)}" for name, value in tables[key].items())]
    for fault in tables["fault"]:
        lines += ["", "[[fault]]", *(f"{key} = {_toml(value)}" for key, value in fault.items() if value is not None)]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    # A JSON scalar is a TOML one, but for the one control character that JSON lets stand.
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
