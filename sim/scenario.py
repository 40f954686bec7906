"""Scenarios: what a run is made of, read from TOML, checked, and written back complete."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from lucid.chain.errors import GenesisError
from lucid.chain.genesis import Genesis, GenesisNode, Parameters
from sim.network import PROFILES, RECEIVERS, region_names

FaultKind = Literal["crash", "partition", "loss", "withhold", "clock"]
UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
DURATION = re.compile(r"(\d+)\s*(ms|s|m|h|d)")

Duration = str | int
"""Milliseconds, or a number with a unit: `90s`, `10m`, `24h`, `1h30m`."""


class ScenarioError(Exception):
    """A scenario can not be run; one sentence that names the file, the line where known, and the key."""


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """Something that goes wrong from `at` until `until` (or the end).

    crash: `node` is down. partition: no message passes between `groups` of node indexes. loss: `percent` of messages
    vanish. withhold: `node` sends no proposal. clock: `node`'s clock is `offset_ms` off.
    """

    kind: FaultKind
    at: Duration = 0
    until: Duration | None = None
    node: int | None = None
    groups: list[list[int]] = field(default_factory=list)
    percent: float = 0.0
    offset_ms: int = 0

    @property
    def at_ms(self) -> int:
        """When it begins, in simulated ms."""
        return duration_ms(self.at)

    @property
    def until_ms(self) -> int | None:
        """When it ends, in simulated ms."""
        return None if self.until is None else duration_ms(self.until)


class Scenario(msgspec.Struct, forbid_unknown_fields=True):
    """A run: the network, the load and the faults. Everything else follows from the seed."""

    name: str = "default"
    description: str = ""
    nodes: Annotated[int, Meta(ge=1, le=RECEIVERS)] = 10
    duration: Duration = "1h"
    seed: Annotated[int, Meta(ge=0)] = 1
    profile: str = "regions"
    crypto: Literal["real", "modelled"] = "modelled"
    regions: list[str] = field(default_factory=list)
    pools: dict[str, list[int]] = field(default_factory=dict)
    bandwidth_mbps: Annotated[int, Meta(ge=1, le=100_000)] = 100
    disk_us: Annotated[int, Meta(ge=0, le=10_000_000)] = 2_000
    anchor_every_ms: Annotated[int, Meta(ge=0)] = 1_000
    snapshot_blocks: Annotated[int, Meta(ge=1)] = 2_160
    parameters: dict[str, int] = field(default_factory=dict)
    fault: list[Fault] = field(default_factory=list)

    @property
    def duration_ms(self) -> int:
        """Simulated length in milliseconds."""
        return duration_ms(self.duration)

    def genesis(self, keys: list[bytes], genesis_time_ms: int, administrators: tuple[bytes, ...]) -> Genesis:
        """The genesis document of a network of these node keys; raises `ScenarioError`."""
        pools = {index: pool for pool, members in self.pools.items() for index in members}
        nodes = tuple([GenesisNode(key, f"n{index:02}", pools.get(index, "")) for index, key in enumerate(keys)])
        try:
            parameters = Parameters(**self.parameters)
            threshold = (len(administrators) + 1) // 2
            return Genesis(genesis_time_ms, nodes, administrators, threshold, parameters).check()
        except GenesisError as error:
            raise ScenarioError(error.detail) from None


def duration_ms(value: Duration) -> int:
    """Milliseconds of a duration; raises `ScenarioError` for what is none."""
    if isinstance(value, int) and value >= 0:
        return value
    text = str(value).strip()
    parts = DURATION.findall(text)
    if not parts or DURATION.sub("", text).strip():
        raise ScenarioError(f"{value!r} is no duration (write 90s, 10m, 24h or milliseconds)")
    return sum(int(number) * UNITS_MS[unit] for number, unit in parts)


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
        raise ScenarioError(f"no scenario {name!r}: neither a file nor one of {', '.join(scenarios)}")
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
        scenario = msgspec.convert(data, Scenario)
    except msgspec.ValidationError as error:
        key, sentence = _place(str(error))
        raise ScenarioError(f"{source}:{_line(text, key)}: {sentence}") from None
    try:
        check(scenario)
    except ScenarioError as error:
        key = str(error).split(":", maxsplit=1)[0].split(" ")[0].split(".")[-1]
        raise ScenarioError(f"{source}:{_line(text, key)}: {error}") from None
    return scenario


def check(scenario: Scenario) -> None:
    """Check what types can not say; raises `ScenarioError` that begins with the key."""
    if scenario.profile not in PROFILES:
        raise ScenarioError(f"profile: no {scenario.profile!r}; there are {', '.join(PROFILES)}")
    unknown = [region for region in scenario.regions if region not in region_names()]
    if unknown:
        raise ScenarioError(f"regions: no {unknown[0]!r}; there are {', '.join(region_names())}")
    _duration("duration", scenario.duration, 1)
    known = set(Parameters.__struct_fields__)
    for key in scenario.parameters:
        if key not in known:
            raise ScenarioError(f"parameters.{key}: no such parameter")
    scenario.genesis([bytes([index // 256, index % 256]) * 16 for index in range(scenario.nodes)], 0, ())
    for pool, members in scenario.pools.items():
        _nodes(f"pools.{pool}", members, scenario.nodes)
    for place, fault in enumerate(scenario.fault):
        _check_fault(f"fault[{place}]", fault, scenario.nodes)


def _check_fault(where: str, fault: Fault, nodes: int) -> None:
    _duration(f"{where}.at", fault.at, 0)
    if fault.until is not None:
        _duration(f"{where}.until", fault.until, fault.at_ms + 1)
    if fault.kind in ("crash", "withhold", "clock"):
        if fault.node is None:
            raise ScenarioError(f"{where}.node: a {fault.kind} needs one")
        _nodes(f"{where}.node", [fault.node], nodes)
    if fault.kind == "partition":
        if len(fault.groups) < 2:
            raise ScenarioError(f"{where}.groups: a partition needs two or more")
        _nodes(f"{where}.groups", [index for group in fault.groups for index in group], nodes)
    if fault.kind == "loss" and not 0 < fault.percent <= 100:
        raise ScenarioError(f"{where}.percent: must be above 0 and at most 100")


def _duration(key: str, value: Duration, least_ms: int) -> None:
    try:
        ms = duration_ms(value)
    except ScenarioError as error:
        raise ScenarioError(f"{key}: {error}") from None
    if ms < least_ms:
        raise ScenarioError(f"{key}: must be at least {least_ms} ms")


def _nodes(key: str, indexes: list[int], nodes: int) -> None:
    for index in indexes:
        if not 0 <= index < nodes:
            raise ScenarioError(f"{key}: there is no node {index} among {nodes}")
    if len(set(indexes)) != len(indexes):
        raise ScenarioError(f"{key}: names a node twice")


def _place(message: str) -> tuple[str, str]:
    """The key that a msgspec message speaks of, and the message as one sentence that begins with it."""
    unknown = re.search(r"unknown field `([^`]+)`", message)
    path = re.search(r" - at `\$\.?([^`]*)`", message)
    where = path.group(1) if path else ""
    if unknown:
        return unknown.group(1), f"{where + '.' if where else ''}{unknown.group(1)}: unknown key"
    missing = re.search(r"missing required field `([^`]+)`", message)
    sentence = re.sub(r" - at `[^`]*`", "", message)
    key = missing.group(1) if missing else re.sub(r"\[[^]]*\]$", "", where).split(".")[-1]
    return key.split("[")[0], f"{where or key}: {sentence[0].lower()}{sentence[1:]}"


def _line(text: str, key: str) -> int:
    """The first line that sets a key, 1 if none does."""
    pattern = re.compile(rf"^\s*(\[+\s*)?([\w\"']+\s*\.\s*)*[\"']?{re.escape(key)}[\"']?\s*(=|\]|\.)")
    for number, line in enumerate(text.splitlines(), 1):
        if pattern.match(line):
            return number
    return 1


def dump(scenario: Scenario) -> str:
    """The scenario as complete TOML that `parse` reads back."""
    values = msgspec.to_builtins(scenario)
    tables = {key: values.pop(key) for key in ("parameters", "pools", "fault")}
    lines = [f"{key} = {_toml(value)}" for key, value in values.items()]
    for key in ("parameters", "pools"):
        if tables[key]:
            lines += ["", f"[{key}]", *(f"{_toml(name)} = {_toml(value)}" for name, value in tables[key].items())]
    for fault in tables["fault"]:
        lines += ["", "[[fault]]", *(f"{key} = {_toml(value)}" for key, value in fault.items() if value is not None)]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return msgspec.json.encode(value).decode()
