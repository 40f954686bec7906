"""Files of scenarios: those that are shipped, those that are read, and how one is written back complete."""

from __future__ import annotations

import difflib
import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from sim.scenario import Scenario
from sim.scenariochecks import checked
from sim.scenarioerror import ScenarioError

TABLE_HEAD = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]")
KEY_VALUE = re.compile(r"\s*([\w\"'.\- ]+?)\s*=")


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
        return checked(data)
    except ScenarioError as error:
        raise ScenarioError(f"{source}:{_line(text, error.key)}: {error}") from None


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
