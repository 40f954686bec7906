"""A scenario changed by words, as a command line has them: `loss=5%`, `block_interval=2s`, `partition at=10m ...`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from random import Random
from typing import Any

import msgspec

from lucid.chain.genesis import Activation
from lucid.chain.parameters import Parameters
from lucid.durations import parse_ms
from lucid.machines.limits import Limits
from sim.chunkload import ChunkLoad
from sim.faults import KINDS
from sim.faults.fault import LEADER, Fault, NodeFault
from sim.latency import region_names
from sim.scenario import Scenario
from sim.scenariochecks import changed
from sim.scenarioerror import ScenarioError

TABLES = {"parameters": Parameters, "rules": Activation, "limits": Limits, "workload": ChunkLoad}
"""Tables of a scenario whose keys may stand alone."""
FILE_ONLY = ("fault", "pools", "links")
"""Tables that hold more than single values."""


def with_words(scenario: Scenario, settings: Iterable[str] = (), faults: Iterable[str] = ()) -> Scenario:
    """The scenario with settings (`KEY=VALUE`) and further faults (`KIND KEY=VALUE ...`); raises `ScenarioError`."""
    for setting in settings:
        scenario = _with_setting(scenario, setting)
    for words in faults:
        scenario = _with_fault(scenario, words)
    return scenario


def _with_setting(scenario: Scenario, setting: str) -> Scenario:
    key, equals, value = setting.partition("=")
    key, value = key.strip(), value.strip()
    if not equals or not key or not value:
        raise ScenarioError(f"{setting!r} is not KEY=VALUE, such as loss=5% or block_interval=2s")
    if key == "loss":
        # What is set takes the place of what the scenario has, or `loss=0` would leave a lossy one lossy.
        kept = changed(scenario, fault=[each for each in msgspec.to_builtins(scenario.fault) if each["kind"] != "loss"])
        return _with_fault(kept, f"loss percent={value.removesuffix('%')}") if float_of(value) else kept
    table, _, name = key.rpartition(".")
    for prefix, kind in TABLES.items():
        found = _field(kind, name) if table in ("", prefix) else None
        if found is not None:
            number = _number(key, value, duration=found.endswith("_ms"))
            before = msgspec.to_builtins(getattr(scenario, prefix)) or {}
            return changed(scenario, **{prefix: {**before, found: number}})
    if key in TABLES:
        raise ScenarioError(f"is a table: set one of its keys, such as {key}.{TABLES[key].__struct_fields__[0]}", key)
    if key in FILE_ONLY:
        raise ScenarioError(f"is a table: write it in a file{' or use --fault' if key == 'fault' else ''}", key)
    key = key if table else _field(Scenario, key) or key
    if table or key not in Scenario.__struct_fields__:
        raise ScenarioError(f"no such key{_near(key)}", key)
    return changed(scenario, **{key: _plain(key, value)})


def _with_fault(scenario: Scenario, words: str) -> Scenario:
    kind, *pairs = words.split() or [""]
    if kind not in KINDS:
        raise ScenarioError(f"no fault {kind!r}{_closest(kind, KINDS)}; there are {', '.join(KINDS)}")
    fields = KINDS[kind].__struct_fields__
    values: dict[str, Any] = {"kind": kind}
    nodes: list[int] | None = None
    """Each of them has a fault of its own."""
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ScenarioError(f"{pair!r} of the fault {kind} is not KEY=VALUE")
        if key == "regions" and "groups" in fields:
            values["groups"] = _regions(scenario, value.split(","))
        elif key == "random" and "node" in fields:
            values["node"] = _one_of(scenario, value)
        elif key == "regions" and "node" in fields:
            nodes = sorted({index for group in _within(scenario, value.split(",")) for index in group})
        elif (key, value) == ("role", LEADER) and issubclass(KINDS[kind], NodeFault):
            values["node"] = LEADER
        elif key == "role" and "node" in fields:
            nodes = _in_role(scenario, value)
        elif key in fields:
            values[key] = _fault_value(KINDS[kind], key, value)
        else:
            more = ["random", "regions", "role"] if "node" in fields else ["regions"] if "groups" in fields else []
            allowed = [*fields, *more]
            raise ScenarioError(f"a {kind} has no {key!r}{_closest(key, allowed)}; it has {', '.join(allowed)}")
    added = [values] if nodes is None else [values | {"node": node} for node in nodes]
    return changed(scenario, fault=[*msgspec.to_builtins(scenario.fault), *added])


def _fault_value(kind: type[Fault], key: str, value: str) -> Any:
    """Groups as 0,1|2,3; lists as 0,1 or vote,proposal; numbers; durations and names as they stand."""
    wanted = str(kind.__annotations__.get(key, ""))
    try:
        if key == "groups":
            return [[int(index) for index in group.split(",") if index] for group in value.split("|")]
        if wanted == "list[int]":
            return [int(index) for index in value.split(",")]
        if wanted.startswith("list["):
            return value.split(",")
    except ValueError:
        example = "0,1|2,3" if key == "groups" else "0,1"
        raise ScenarioError(f"{key}={value!r} must be node indexes such as {key}={example}") from None
    for read in (int, float):
        try:
            return read(value)
        except ValueError:
            continue
    return value


def _regions(scenario: Scenario, wanted: list[str]) -> list[list[int]]:
    """Groups of nodes by the regions that they are in, and the rest as the last."""
    groups = _within(scenario, wanted)
    named = {index for group in groups for index in group}
    rest = [index for index in range(scenario.nodes) if index not in named]
    return [*groups, rest] if rest else groups


def _within(scenario: Scenario, wanted: list[str]) -> list[list[int]]:
    """The nodes in each of these regions, each named by any part of its name."""
    places = scenario.regions or region_names()
    where = [places[index % len(places)] for index in range(scenario.nodes)]
    groups = [[index for index, place in enumerate(where) if part and part in place] for part in wanted]
    for part, group in zip(wanted, groups, strict=True):
        if not group:
            raise ScenarioError(f"no node is in a region of {part!r}; they are in {', '.join(sorted(set(where)))}")
    return groups


def _one_of(scenario: Scenario, salt: str) -> int:
    """A node by chance: another for each word, the same for the same seed."""
    return Random(f"{scenario.seed}/fault/{salt}").randrange(scenario.nodes)


def _in_role(scenario: Scenario, role: str) -> list[int]:
    """Nodes by chance, the same for the same seed: the f that the chain goes on without, or one more, which is too many
    for a quorum."""
    spare = (scenario.nodes - 1) // 3
    counts = {"f": spare, "quorum": spare + 1}
    if role not in counts:
        there_are = "leader (of the view when the fault begins), f (as many nodes as may fail) and quorum (one more)"
        raise ScenarioError(f"no role {role!r}; there are {there_are}")
    if not counts[role]:
        raise ScenarioError(f"of {scenario.nodes} nodes none may fail", "role")
    return sorted(Random(f"{scenario.seed}/fault/role").sample(range(scenario.nodes), counts[role]))


def _field(kind: type, name: str) -> str | None:
    """A field's full name: as it is, or with the unit that its value brings along."""
    fields = kind.__struct_fields__  # type: ignore[attr-defined]
    return next((each for each in (name, f"{name}_ms") if each in fields), None)


def _plain(key: str, value: str) -> Any:
    """What a scenario's key takes: text stays text, numbers and switches are read."""
    wanted = Scenario.__annotations__[key]
    if "list" in str(wanted):
        return value.split(",")
    if value in ("true", "false"):
        return value == "true"
    if "int" in str(wanted) and "str" not in str(wanted) and "Duration" not in str(wanted):
        return _number(key, value, duration=key.endswith("_ms"))
    return value


def _number(key: str, value: str, duration: bool) -> int:
    try:
        return parse_ms(value) if duration else int(value.replace("_", ""))
    except ValueError:
        what = "a duration such as 2s" if duration else "a whole number"
        raise ScenarioError(f"{value!r} is not {what}", key) from None


def float_of(value: str) -> float:
    """A number that may be followed by a percent sign; raises `ScenarioError`."""
    try:
        return float(value.removesuffix("%"))
    except ValueError:
        raise ScenarioError(f"{value!r} is not a number of percent", "loss") from None


def _near(key: str) -> str:
    names = [name for name in Scenario.__struct_fields__ if name not in FILE_ONLY]
    names += [field.removesuffix("_ms") for kind in TABLES.values() for field in kind.__struct_fields__]
    return _closest(key, [*names, "loss"])


def _closest(word: str, names: Iterable[str]) -> str:
    found = difflib.get_close_matches(word, list(names), 1)
    return f": did you mean {found[0]!r}?" if found else ""


__all__ = ["float_of", "with_words"]
