"""`lucid chain`: which rules the chain has and gets, which nodes know them, and what its administrators decide."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lucid.cli.decisions import add_decisions

if TYPE_CHECKING:
    from lucid.api.answers import Deciders, RulesState

NOT_READY = 20
"""Fewer validators than blocks need know the rules that are scheduled, or in force."""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid chain`."""
    chain = commands.add_parser("chain", help="the chain's rules and nodes, and its administrators' decisions")
    actions = chain.add_subparsers(metavar="ACTION", required=True)
    rules = actions.add_parser(
        "rules",
        help="rules in force and scheduled, and who is ready",
        description="Ask a node's block manager which version of the rules is in force, which one is scheduled from "
        "which height on, and which validators run a release that knows it. Those it is not connected to it does "
        "not know of.",
        epilog="Exit status: 0 enough validators are ready, 20 not enough are, or this node is not, 2 bad usage or no "
        "answer.",
    )
    rules.add_argument("--config", metavar="FILE", help="settings: manager_url; LUCID_* variables win")
    rules.add_argument("--json", action="store_true", help="print JSON")
    rules.set_defaults(run=run_rules)
    add_decisions(actions)


def run_rules(options: argparse.Namespace) -> int:
    """`lucid chain rules`."""
    from pathlib import Path

    import msgspec

    from lucid.client import calls
    from lucid.client.http import Client
    from lucid.services.process.config import load_config

    config = load_config(file=None if options.config is None else Path(options.config))
    with Client("", "", "", config.trust(), config.manager_url) as client:
        found = client.send(calls.chain_rules())
    if options.json:
        print(json.dumps(msgspec.to_builtins(found)))
    else:
        _tell(found)
    return 0 if found.ready >= found.quorum and found.known >= _needed(found) else NOT_READY


def _tell_deciders(what: str, who: Deciders | None) -> None:
    if who is not None and who.keys:
        keys = ", ".join(key[:16] for key in who.keys)
        print(f"{who.threshold} of {len(who.keys)} administrators {what}: {keys}")


def _needed(found: RulesState) -> int:
    """The version that nodes have to know."""
    return found.version if found.scheduled is None else found.scheduled.version


def _tell(found: RulesState) -> None:
    from lucid.chain.printable import printable

    print(
        f"rules {found.version} are in force after height {found.height}; {found.replication_factor} copies of a chunk"
    )
    if found.scheduled is None:
        print("nothing is scheduled")
    else:
        due = found.scheduled
        when = datetime.fromtimestamp(due.earliest_ms / 1000, UTC).isoformat(timespec="seconds")
        print(
            f"rules {due.version} from the first epoch on that opens at height {due.height} or above, not before {when}"
        )
    _tell_deciders("decide", found.administrators)
    _tell_deciders("will decide from the next epoch on", found.next_administrators)
    needed = _needed(found)
    if found.known < needed:
        print(f"THIS NODE IS TOO OLD for rules {needed}: it knows rules up to {found.known}")
    print(f"{found.ready} of {len(found.validators)} validators know rules {needed}; blocks need {found.quorum}")
    for each in found.validators:
        known = "not connected to this node" if each.known is None else f"knows rules up to {each.known}"
        print(f"{'ready' if each.ready else 'NOT READY':9}  {each.node[:16]}  {printable(each.name)}: {known}")
