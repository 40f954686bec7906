"""What a chain's administrators decide: `lucid chain retire` and the like, each of which begins a decision's file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lucid.chain.errors import Refusal
from lucid.chain.printable import printable
from lucid.cli.approvals import run_approve, run_show, run_submit
from lucid.cli.arguments import duration, hex32
from lucid.cli.decidedchain import chain_of, rules_of
from lucid.cli.decisionfile import tell_decision
from lucid.cli.failure import Failure

if TYPE_CHECKING:
    from lucid.api.answers import RulesState, ValidatorRules
    from lucid.chain.administrators import Administrators
    from lucid.chain.genesis import Genesis
    from lucid.chain.transactions import Administrative
    from lucid.client.http import Client

WAIT_MS = 300_000
EXITS = (
    "Exit status: 0 done, 20 it lacks approvals or may leave too few validators, 10 submitted and not final in time, 2 "
    "bad usage or no answer."
)
HOW = (
    " The decision goes into FILE. Each administrator adds an approval (lucid chain approve FILE --key KEY); with as "
    "many as the chain demands, anyone with a node's token hands it in (lucid chain submit FILE)."
)


def add_decisions(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the actions of `lucid chain` that are about decisions."""
    schedule = _begin(actions, "schedule", "have new rules come into force", run_schedule)
    schedule.add_argument("version", type=int, metavar="VERSION", help="of the rules")
    schedule.add_argument("--height", type=int, required=True, metavar="H", help="hold from the first epoch from H on")
    _begin(actions, "unschedule", "call scheduled rules off", run_unschedule)
    register = _begin(actions, "register", "admit a node", run_register)
    register.add_argument("name", metavar="NAME", help="what the chain calls it")
    register.add_argument("--key", type=Path, required=True, metavar="KEY", help="its key file, which signs too")
    register.add_argument("--pool", default="", metavar="POOL", help="nodes of one owner or site (none)")
    retire = _begin(actions, "retire", "take a node out of the validators", run_retire)
    retire.add_argument("node", metavar="NODE", help="its id, or its name on the chain")
    copies = _begin(actions, "copies", "set how many nodes hold each chunk", run_copies)
    copies.add_argument("factor", type=int, metavar="N", help="copies of each chunk, all in all")
    others = _begin(actions, "administrators", "have others decide from the next epoch on", run_administrators)
    others.add_argument("administrator", nargs="+", metavar="ID", help="the key of each (lucid keys show), all of them")
    others.add_argument("--threshold", type=int, metavar="K", help="so many of them together decide (all)")
    approve = actions.add_parser(
        "approve",
        help="add an administrator's approval to a decision",
        description="Say what a decision does, and sign it with an administrator's key. Needs no node; where the "
        "settings name one that answers, it is asked who of the validators that the decision leaves is there.",
        epilog=EXITS,
    )
    approve.add_argument("--key", type=Path, required=True, metavar="KEY", help="the administrator's key file")
    approve.add_argument("--anyway", action="store_true", help="even if too few validators may be left to make blocks")
    approve.set_defaults(run=run_approve)
    show = actions.add_parser("show", help="say what a decision does and who approved it", epilog=EXITS)
    show.set_defaults(run=run_show)
    submit = actions.add_parser(
        "submit", help="hand a decision in, and wait until it is final", description="Needs no key.", epilog=EXITS
    )
    submit.add_argument("--wait", type=duration, default=WAIT_MS, metavar="TIME", help="for how long (5m)")
    submit.set_defaults(run=run_submit)
    for action in (approve, show, submit):
        action.add_argument("file", type=Path, metavar="FILE", help="the decision")
        _add_settings(action)


def _begin(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    what: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    begin = actions.add_parser(
        name, help=f"{what}: begin a decision", description=f"{what.capitalize()}.{HOW}", epilog=EXITS
    )
    begin.add_argument("--output", type=Path, required=True, metavar="FILE", help="the file; never written over")
    _add_settings(begin)
    begin.set_defaults(run=run)
    return begin


def _add_settings(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings: genesis, manager_url, api_tokens or token; LUCID_* variables win",
    )
    action.add_argument("--json", action="store_true", help="print JSON")


def run_schedule(options: argparse.Namespace) -> int:
    """`lucid chain schedule`."""
    from lucid.chain.transactions import ScheduleRules

    with chain_of(options) as (genesis, client):
        found = rules_of(client)
        if options.version > found.known:
            raise Failure(
                f"this node knows rules up to {found.known}: upgrade the nodes before newer ones are scheduled"
            )
        if options.version <= found.version:
            raise Failure(f"rules {found.version} are in force: name a version above that")
        soonest = found.height + 1 + genesis.parameters.epoch_views
        if options.height <= soonest:
            raise Failure(
                f"--height {options.height} is too soon: above {soonest}, an epoch's blocks ahead, is possible; leave "
                "time for approvals"
            )
        return _write(
            options, genesis, found, lambda number: ScheduleRules(options.version, options.height, number, ())
        )


def run_unschedule(options: argparse.Namespace) -> int:
    """`lucid chain unschedule`."""
    from lucid.chain.transactions import ScheduleRules

    with chain_of(options) as (genesis, client):
        found = rules_of(client)
        if found.scheduled is None:
            raise Failure("nothing is scheduled")
        return _write(options, genesis, found, lambda number: ScheduleRules(0, 0, number, ()))


def run_register(options: argparse.Namespace) -> int:
    """`lucid chain register`."""
    from lucid.chain.decision import UNSIGNED
    from lucid.chain.ed25519 import ed25519_public_key
    from lucid.chain.genesis import NAME_BYTES
    from lucid.chain.transactions import RegisterNode
    from lucid.services.process.keyfile import read_key

    for what, text in (("NAME", options.name), ("--pool", options.pool)):
        if len(text.encode()) > NAME_BYTES or not (text or what == "--pool"):
            raise Failure(f"{what} must be 1 to {NAME_BYTES} bytes of text")
    secret = read_key(options.key)
    key = ed25519_public_key(secret)
    with chain_of(options) as (genesis, client):
        found = rules_of(client)
        if any(each.node == key.hex() for each in found.validators):
            raise Failure(f"node {key.hex()} is registered already")

        def made(number: int) -> RegisterNode:
            return RegisterNode(key, options.name, options.pool, number, (), UNSIGNED)

        status = _write(options, genesis, found, made, secret)
        _tell_left(options, client, made(0), ": have the new node run before it is submitted")
        return status


def run_retire(options: argparse.Namespace) -> int:
    """`lucid chain retire`."""
    from lucid.chain.transactions import RetireNode

    with chain_of(options) as (genesis, client):
        found = rules_of(client)
        node = _named(found, options.node)
        if len(found.validators) == 1:
            raise Failure("the last node cannot be retired: register another one first")

        def made(number: int) -> RetireNode:
            return RetireNode(bytes.fromhex(node.node), number, ())

        status = _write(options, genesis, found, made)
        _tell_left(options, client, made(0))
        return status


def _tell_left(options: argparse.Namespace, client: Client, payload: Administrative, advice: str = "") -> None:
    """Say how many validators a decision leaves, and whether that may be too few for blocks: before anyone signs it."""
    from lucid.cli.outlook import outlook
    from lucid.client import calls

    left = outlook(client.send(calls.chain_nodes()), payload)
    assert left is not None, "it changes the set"
    if not options.json:
        print(f"from the epoch after it on blocks need {left.quorum} of {left.size} validators{advice}")
    if left.stands_still:
        print(f"lucid: WARNING: {left.sentence}. The chain may make no blocks any more", file=sys.stderr)


def _named(found: RulesState, text: str) -> ValidatorRules:
    """The registered node of an id or a name."""
    those = [each for each in found.validators if text.lower() == each.node] or [
        each for each in found.validators if text == each.name
    ]
    if not those:
        known = ", ".join(printable(each.name) for each in found.validators)
        raise Failure(f"no node of the id or name {text!r} is registered; there are {known}")
    if len(those) > 1:
        raise Failure(f"{len(those)} nodes have the name {text!r}: name one by its id (lucid chain rules)")
    return those[0]


def run_copies(options: argparse.Namespace) -> int:
    """`lucid chain copies`."""
    from lucid.chain.placement import MAX_REPLICATION_FACTOR
    from lucid.chain.transactions import SetReplication
    from lucid.chain.versions import REPLICATION_RULES

    if not 0 < options.factor <= MAX_REPLICATION_FACTOR:
        raise Failure(f"N must be within 1..{MAX_REPLICATION_FACTOR}, is {options.factor}")
    with chain_of(options) as (genesis, client):
        found = rules_of(client)
        if found.version < REPLICATION_RULES:
            raise Failure(f"this needs rules {REPLICATION_RULES}, and rules {found.version} are in force")
        return _write(options, genesis, found, lambda number: SetReplication(options.factor, number, ()))


def run_administrators(options: argparse.Namespace) -> int:
    """`lucid chain administrators`."""
    from lucid.chain.administrators import Administrators
    from lucid.chain.transactions import SetAdministrators
    from lucid.chain.versions import ADMINISTRATOR_RULES

    keys = tuple(hex32("ID", each) for each in options.administrator)
    following = Administrators(keys, len(keys) if options.threshold is None else options.threshold)
    try:
        following.check_bounds()
    except Refusal as refusal:
        raise Failure(refusal.detail) from None
    with chain_of(options) as (genesis, client):
        found = rules_of(client)
        if found.version < ADMINISTRATOR_RULES:
            raise Failure(f"this needs rules {ADMINISTRATOR_RULES}, and rules {found.version} are in force")

        def made(number: int) -> SetAdministrators:
            return SetAdministrators(following.keys, following.threshold, number, (), ())

        status = _write(options, genesis, found, made)
        if not options.json:
            print("those who take over sign too (lucid chain approve), as many as will decide")
        return status


def _write(
    options: argparse.Namespace,
    genesis: Genesis,
    found: RulesState,
    made: Callable[[int], Administrative],
    secret: bytes | None = None,
) -> int:
    """Write the decision that `made` makes of its number, signed by its node where that has to."""
    from lucid.chain.decision import Decision
    from lucid.poot.crypto import Edwards25519

    if not genesis.administrators:
        raise Failure("the genesis document names no administrators: nodes and rules of this chain stay as they are")
    if found.next_decision is None:
        raise Failure("the node is of a release that does not tell the number of the next decision: upgrade it")
    decision = Decision(genesis.chain_id, made(found.next_decision), _deciding(found, genesis))
    if secret is not None:
        decision = decision.signed(secret, Edwards25519())
    try:
        with options.output.open("xb") as file:
            file.write(decision.print())
    except FileExistsError:
        raise Failure(f"{options.output} exists already") from None
    tell_decision(options, options.output, genesis, decision)
    if found.next_administrators is not None:
        print("lucid: others decide from the next epoch on: what is not final by then is void", file=sys.stderr)
    return 0


def _deciding(found: RulesState, genesis: Genesis) -> Administrators | None:
    """Who decides now, where these are not those of the genesis document any more."""
    from lucid.chain.administrators import Administrators, first_administrators
    from lucid.services.chain.deciders import deciders

    if found.administrators is None or found.administrators == deciders(first_administrators(genesis)):
        return None
    keys = tuple(bytes.fromhex(each) for each in found.administrators.keys)
    return Administrators(keys, found.administrators.threshold)
