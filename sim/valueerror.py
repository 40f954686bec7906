"""msgspec's words for a wrong value of a scenario, put as a sentence that says what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.inspect import LiteralType, Type, UnionType, type_info

from sim.faults import KINDS
from sim.scenarioerror import ScenarioError

TYPES = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
}
"""msgspec's names of what TOML has."""
FAULT = re.compile(r"fault\[(\d+)\](?:\.(\w+))?")


def wrong_value(message: str, data: dict[str, Any], scenario: type[msgspec.Struct]) -> ScenarioError:
    """The error that a msgspec message on `data` stands for, with the key that it speaks of."""
    path = re.search(r" - at `\$\.?([^`]*)`", message)
    where = path.group(1) if path else ""
    sentence = re.sub(r" - at `[^`]*`", "", message)
    if "[...]" in where:
        # msgspec does not say which entry of a table it is.
        table = where.split("[")[0]
        wanted = list[int] if table in ("pools", "links") else int
        where = f"{table}.{next(key for key, value in data[table].items() if not _is(value, wanted))}"
    field = re.search(r"(unknown|missing required) field `([^`]+)`", sentence)
    if field:
        return _of_a_field(field.group(2), field.group(1) == "unknown", where, data)
    if value := re.fullmatch(r"Invalid enum value (.*)", sentence):
        choices = _choices(where, data, scenario)
        if any(each in TYPES.values() for each in choices):
            return ScenarioError(f"must be {' or '.join(choices)}, not {value.group(1)}", where)
        return ScenarioError(f"no {value.group(1)}; there are {', '.join(choices)}", where)
    return ScenarioError(_plain(sentence), where)


def _of_a_field(name: str, unknown: bool, where: str, data: dict[str, Any]) -> ScenarioError:
    """A key that is not known, or one that is missing, in the scenario or in one of its tables."""
    sentence = "no such key" if unknown else "is missing"
    kind = _kind(where, data)
    if kind in KINDS:
        elsewhere = any(name in other.__struct_fields__ for other in KINDS.values())
        one = f"{'an' if kind[0] in 'aeio' else 'a'} {kind}"
        sentence = f"{one} {'has none' if elsewhere else 'has no such key'}" if unknown else f"{one} needs this"
    return ScenarioError(sentence, f"{where}.{name}" if where else name)


def _kind(where: str, data: dict[str, Any]) -> str:
    """The kind of the fault that a key belongs to; empty where it belongs to none."""
    fault = FAULT.fullmatch(where)
    return str(data["fault"][int(fault.group(1))].get("kind")) if fault else ""


def _choices(where: str, data: dict[str, Any], scenario: type[msgspec.Struct]) -> list[str]:
    """What a key may be where it is one of a few words."""
    fault = FAULT.fullmatch(where)
    owner, name = (KINDS[_kind(where, data)], fault.group(2)) if fault else (scenario, where)
    about = type_info(owner)
    fields = {each.name: each.type for each in getattr(about, "fields", ())}
    return list(_words(fields[name]))


def _words(about: Type) -> Iterator[str]:
    """The words, and the kinds of values, that a type takes."""
    if isinstance(about, LiteralType):
        yield from map(str, about.values)
    elif isinstance(about, UnionType):
        for each in about.types:
            yield from _words(each)
    else:
        yield TYPES[type(about).__name__.removesuffix("Type").lower()]


def _plain(sentence: str) -> str:
    """A sentence of msgspec's on a type or a bound, in this project's words."""
    if bound := re.fullmatch(r"Expected `int` (>=|<=) (-?\d+)", sentence):
        return f"must be {'at least' if bound.group(1) == '>=' else 'at most'} {bound.group(2)}"
    if types := re.fullmatch(r"Expected `([\w| ]+)`, got `(\w+)`", sentence):
        wanted = " or ".join(TYPES.get(name, name) for name in types.group(1).split(" | "))
        return f"must be {wanted}, not {TYPES.get(types.group(2), types.group(2))}"
    return sentence[0].lower() + sentence[1:]


def _is(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True
