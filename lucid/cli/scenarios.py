"""`lucid sim list`, `show` and `schema`: what scenarios there are, and what one holds."""

from __future__ import annotations

import argparse
import json

from lucid.cli.failure import Failure
from lucid.cli.runsummary import nodes_text


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add what tells of scenarios and runs none."""
    listing = actions.add_parser("list", help="name the scenarios", description="Name the shipped scenarios.")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=list_scenarios)
    show = actions.add_parser(
        "show",
        help="print a scenario with all its keys",
        description="Print a scenario as complete TOML: every key with its value and what it says.",
        epilog="Exit status: 0 printed, 2 bad usage.",
    )
    show.add_argument("scenario", nargs="?", default="default", metavar="SCENARIO", help="a name or a TOML file")
    show.set_defaults(run=show_scenario)
    schema = actions.add_parser(
        "schema",
        help="print the JSON Schema of scenarios",
        description="Print the JSON Schema of scenarios, by which an editor completes and checks a TOML file.",
        epilog="Exit status: 0 printed, 2 bad usage.",
    )
    schema.set_defaults(run=show_schema)


def list_scenarios(options: argparse.Namespace) -> int:
    """`lucid sim list`."""
    from sim.scenariofile import parse, shipped

    scenarios = [parse(text, name) for name, text in shipped().items()]
    if options.json:
        rows = [{"name": each.name, "nodes": each.nodes, "description": each.description} for each in scenarios]
        print(json.dumps(rows))
        return 0
    width = max(len(each.name) for each in scenarios)
    for each in scenarios:
        print(f"{each.name:{width}}  {nodes_text(each.nodes):>9}  {each.duration!s:>5}  {each.description}")
    return 0


def show_scenario(options: argparse.Namespace) -> int:
    """`lucid sim show`."""
    from sim.scenarioerror import ScenarioError
    from sim.scenariofile import load
    from sim.scenariokeys import explained

    try:
        print(explained(load(options.scenario)), end="")
    except ScenarioError as error:
        raise Failure(str(error)) from None
    return 0


def show_schema(options: argparse.Namespace) -> int:
    """`lucid sim schema`."""
    from sim.scenarioschema import schema

    print(json.dumps(schema(), indent=1))
    return 0
