"""The site's reference pages, made from the code itself: `docs.site` writes them."""

from __future__ import annotations

import argparse
import inspect
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import msgspec
from prometheus_client import Metric

from lucid.chain.cures import CURES
from lucid.chain.document import print_genesis
from lucid.chain.ed25519 import ed25519_public_key
from lucid.chain.errors import Code
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.cli.examples import EXAMPLES, commands
from lucid.cli.main import parser
from lucid.services.anchoring import AnchoringService
from lucid.services.data import DataService
from lucid.services.engine import EngineService
from lucid.services.manager import ManagerService
from lucid.services.process.config import Config
from lucid.services.process.keyfile import write_key
from lucid.services.process.service import Service
from sim.faults import KINDS
from sim.faults.fault import Fault
from sim.scenariofile import parse, shipped
from sim.scenarioschema import schema as scenario_schema
from smoke.manifest import manifest_schema

SERVICES: tuple[type[Service], ...] = (EngineService, AnchoringService, ManagerService, DataService)

Schema = dict[str, Any]
T = TypeVar("T")


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """The lines of a table; a cell may not break it."""
    cells = [list(head), *map(list, rows)]
    lines = ["| " + " | ".join(re.sub(r"\s+", " ", each).replace("|", "\\|") for each in row) + " |" for row in cells]
    return [lines[0], "|" + "---|" * len(cells[0]), *lines[1:], ""]


def page(title: str, about: str, *parts: Iterable[str]) -> str:
    """A page: a title, a sentence on where it comes from, and its lines."""
    return "\n".join([f"# {title}", "", about, "", *(line for part in parts for line in part)])


# -- the command line ----------------------------------------------------------------------------------------------


def cli() -> str:
    """Every command, from the parser."""
    lines: list[str] = []
    for command in commands(parser()):
        deeper = [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]
        if not deeper:
            lines += _command(command)
    return page("Commands", "Every command with its arguments, as `lucid COMMAND --help` shows them.", lines)


def _command(command: argparse.ArgumentParser) -> list[str]:
    epilog = str(command.epilog or "")
    usage = re.sub(r"\s+", " ", command.format_usage().removeprefix("usage: ").strip())
    rows = [
        (
            ", ".join(f"`{name}`" for name in action.option_strings) + _value(action),
            (action.help or "").replace("%%", "%"),
        )
        for action in command._actions
        if action.dest != "help"
    ]
    said = [each for each in epilog.split("\n\n") if each and not each.startswith("Examples:")]
    lines = [f"## {command.prog}", "", *_paragraphs(command.description or ""), "```text", usage, "```", ""]
    lines += table(("argument", "what it does"), rows)
    lines += [line for each in said for line in _paragraphs(each)]
    examples = EXAMPLES.get(command.prog, ())
    return lines + (["```sh", *examples, "```", ""] if examples else [])


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    shown = action.metavar or (
        "{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper()
    )
    text = " ".join(shown) if isinstance(shown, tuple) else str(shown)
    return f" `{text}`" if action.option_strings else f"`{text}`"


def _paragraphs(text: str) -> list[str]:
    return [line for each in text.split("\n\n") if each.strip() for line in (re.sub(r"\s+", " ", each.strip()), "")]


# -- documents: scenarios, faults, the manifest --------------------------------------------------------------------


def scenarios() -> str:
    """Every key of a scenario, and the scenarios that are shipped."""
    schema = scenario_schema()
    names = [(f"`{name}`", parse(text, name).description) for name, text in shipped().items()]
    return page(
        "Scenario keys",
        "A scenario is a TOML file. `lucid sim show NAME` prints a complete one; `--set KEY=VALUE` sets one key.",
        _keys(schema["$defs"]["Scenario"], schema["$defs"]),
        ["## Scenarios that are included", ""],
        table(("name", "what it shows"), names),
    )


def faults() -> str:
    """Every kind of fault, and its keys."""
    common = set(Fault.__struct_fields__)
    about = (
        "A fault is a `[[fault]]` table of a scenario, or `--fault 'KIND KEY=VALUE ...'`. All of them have `at` and "
        "`until` (times; `until` defaults to the scenario's calm or end) and `stays` (the calm does not end it)."
    )
    lines: list[str] = []
    for name, kind in KINDS.items():
        lines += [
            f"## {name}",
            "",
            *_paragraphs(inspect.cleandoc(kind.__doc__ or "")),
            f"Lane: {kind.lane}.",
            "",
        ]
        described = msgspec.json.schema(kind)
        keys = described["$defs"][kind.__name__]
        own = {key: each for key, each in keys["properties"].items() if key not in common and key != "kind"}
        lines += _keys(keys | {"properties": own}, described["$defs"]) if own else []
    return page("Faults", about, lines)


def manifest() -> str:
    """Every key of a smoke.toml."""
    schema: Schema = msgspec.convert(manifest_schema(), Schema)
    lines: list[str] = []
    for name, each in schema["$defs"].items():
        if each.get("properties"):
            lines += [f"## {name}", "", each.get("description", ""), "", *_keys(each, schema["$defs"])]
    about = (
        "The keys of `smoke.toml`, from its schema. [Smoke checks](../smoke/README.md#the-manifest) says how they act."
    )
    return page("Manifest keys", about, lines)


def _keys(struct: Schema, defs: Schema) -> list[str]:
    rows = []
    for key, each in struct["properties"].items():
        default = (
            "required"
            if key in struct.get("required", ())
            else f"`{msgspec.json.encode(each.get('default')).decode()}`"
        )
        about = each.get("description", "")
        rows.append((f"`{key}`", _kind(each, defs), default, about))
    with_about = any(row[3] for row in rows)
    head = ("key", "value", "default", "what it is")
    return table(head if with_about else head[:3], rows if with_about else [row[:3] for row in rows])


def _kind(schema: Schema, defs: Schema) -> str:
    """What a value may be, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return name if "properties" in defs[name] else _kind(defs[name], defs)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(each, defs) for each in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    kind = str(schema.get("type", "any"))
    if kind == "array":
        items = schema.get("items")
        return f"list of {_kind(items, defs)}" if isinstance(items, dict) else "list"
    if kind == "object":
        return "table"
    low, high = (schema.get(each) for each in ("minimum", "maximum"))
    return (
        kind
        if low is None and high is None
        else f"{kind}, {'' if low is None else low}..{'' if high is None else high}"
    )


# -- errors --------------------------------------------------------------------------------------------------------

AREAS = {
    1: "messages, encoding and storage",
    2: "genesis and configuration",
    3: "requests",
    4: "blocks",
    5: "transactions",
    6: "sessions, receipts and chunks",
    7: "consensus",
    8: "Merkle trees and state",
}


def errors() -> str:
    """Every error code with its cause and cure."""
    lines: list[str] = []
    for area, name in AREAS.items():
        rows = [(f"`{each.code}`", each.sentence, CURES[each]) for each in sorted(Code) if each // 1_000 == area]
        lines += [f"## {area}xxx: {name}", "", *table(("code", "cause", "what to do"), rows)]
    about = "Codes are stable: a program may rely on them. `error.code` of an answer holds one."
    return page("Error codes", about, lines)


# -- the services --------------------------------------------------------------------------------------------------


@contextmanager
def services() -> Iterator[list[Service]]:
    """The four services of a node that never starts, made in a folder of their own."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        key = ed25519_public_key(write_key(folder / "node.key"))
        genesis = Genesis(time.time_ns() // 1_000_000, (GenesisNode(key, "pi"),)).check()
        (folder / "genesis.toml").write_text(print_genesis(genesis), "utf-8")
        config = Config(
            genesis=folder / "genesis.toml", key=folder / "node.key", data_dir=folder / "data", token="made"
        )
        made = [kind(config) for kind in SERVICES]
        try:
            yield made
        finally:
            for each in made:
                each.close()


def metrics() -> str:
    """Every figure under /metrics, service by service."""
    with services() as made:
        found = {each.listed.name: {_metric(family): family for family in each.web.registry.collect()} for each in made}
    lines: list[str] = []
    for service, families in _by_service(found).items():
        rows = [(f"`{name}`", family.type, family.documentation) for name, family in families.items()]
        lines += [f"## {service}", "", *table(("name", "kind", "what"), rows)]
    return page("Metrics", "What `/metrics` of each service shows, in the text format of Prometheus.", lines)


def _metric(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


def _by_service(found: dict[str, dict[str, T]]) -> dict[str, dict[str, T]]:
    """What every service has, told once, before what each has alone."""
    first, *others = found.values()
    shared = {name: each for name, each in first.items() if all(name in other for other in others)}
    own = {service: {name: each for name, each in has.items() if name not in shared} for service, has in found.items()}
    return {"Every service": shared, **own}


def http() -> str:
    """Every endpoint, from the OpenAPI documents of the services."""
    with services() as made:
        documents = {f"{each.listed.name} ({each.listed.port})": each.web.description() for each in made}
    operations = {
        name: {
            f"{method.upper()} {path}": operation
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }
        for name, document in documents.items()
    }
    schemas = {name: document["components"]["schemas"] for name, document in documents.items()}
    own = _by_service(schemas)
    every = {name: each for document in schemas.values() for name, each in document.items()}
    lines: list[str] = []
    for name, asked in _by_service(operations).items():
        rows = [
            (f"`{request}`", each["summary"] + _query(each), _taken(each), _given(each))
            for request, each in asked.items()
        ]
        lines += [f"## {name}", "", *table(("request", "what", "body", "answers"), rows), *_structs(own[name], every)]
    about = (
        "From the OpenAPI 3.1 documents that the services give at `/openapi.json`. Every path is also under `/api/v1`. "
        "A request marked *token* needs `Authorization: Bearer TOKEN`."
    )
    return page("HTTP", about, lines)


def _query(operation: Schema) -> str:
    names = [each["name"] for each in operation["parameters"] if each["in"] == "query"]
    return (f" (`?{'=&'.join(names)}=`)" if names else "") + (" *token*" if "security" in operation else "")


def _content(described: Schema) -> str:
    kinds = []
    for media, each in described.get("content", {}).items():
        schema = each["schema"]
        kinds.append(schema["$ref"].rpartition("/")[2] if "$ref" in schema else media)
    return ", ".join(kinds)


def _taken(operation: Schema) -> str:
    return _content(operation["requestBody"]) if "requestBody" in operation else ""


def _given(operation: Schema) -> str:
    answers = []
    for status, each in operation["responses"].items():
        if status.startswith("2"):
            kind = _content(each)
            answers.append(f"{status} {kind}".strip())
        elif status != "default":
            answers.append(status)
    return ", ".join(answers)


def _structs(schemas: Schema, every: Schema) -> list[str]:
    lines: list[str] = []
    for name, each in sorted(schemas.items()):
        if each.get("properties"):
            lines += [f"### {name}", "", *_paragraphs(each.get("description", ""))]
            lines += table(
                ("field", "value"), ((f"`{key}`", _kind(value, every)) for key, value in each["properties"].items())
            )
    return lines


PAGES: dict[str, Callable[[], str]] = {
    "cli": cli,
    "scenarios": scenarios,
    "faults": faults,
    "manifest": manifest,
    "errors": errors,
    "metrics": metrics,
    "http": http,
}
"""What makes each page of the reference, by its name."""
