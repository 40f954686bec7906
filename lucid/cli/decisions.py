"""What a chain's administrators decide: `lucid chain retire` and the like begin a file, `approve` signs it, `submit`
hands it in."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lucid.chain.errors import Code, LucidError, Refusal, printable
from lucid.cli.failure import INVALID, Failure, read_bounded, timed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lucid.api.answers import RulesState, ValidatorRules
    from lucid.chain.decision import Decision
    from lucid.chain.genesis import Genesis
    from lucid.chain.transactions import Administrative
    from lucid.client.http import Client
    from lucid.services.process.config import Config

NOT_FINAL = 10
WAIT_MS = 300_000
ASK_S = 0.5
EXITS = (
    "Exit status: 0 done, 20 it lacks approvals or may leave too few validators, 10 submitted and not final in time, 2 "
    "bad usage or no answer."
)
HOW = (
    " The decision goes into FILE. Each administrator adds an approval (lucid chain approve FILE --key KEY); with as "
    "many as the genesis document demands, anyone with a node's token hands it in (lucid chain submit FILE)."
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
    approve = actions.add_parser(
        "approve",
        help="add an administrator's approval to a decision",
        description="Say what a decision does, and sign it with an administrator's key. Needs no node; where the "
        "settings name one that answers, it is asked who of the validators that the decision leaves is there.",
        epilog=EXITS,
    )
    approve.add_argument("--key", type=Path, required=True, metavar="KEY", help="the administrator's key file")
    approve.add_argument(
        "--anyway", action="store_true", help="also where the validators that are left may be too few for blocks"
    )
    approve.set_defaults(run=run_approve)
    show = actions.add_parser("show", help="say what a decision does and who approved it", epilog=EXITS)
    show.set_defaults(run=run_show)
    submit = actions.add_parser(
        "submit", help="hand a decision in, and wait until it is final", description="Needs no key.", epilog=EXITS
    )
    submit.add_argument("--wait", type=timed, default=WAIT_MS, metavar="TIME", help="for how long (5m)")
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


# -- beginning one ----------------------------------------------------------------------------------------------------


def run_schedule(options: argparse.Namespace) -> int:
    """`lucid chain schedule`."""
    from lucid.chain.transactions import ScheduleRules

    with _chain(options) as (genesis, client):
        found = _rules(client)
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

    with _chain(options) as (genesis, client):
        found = _rules(client)
        if found.scheduled is None:
            raise Failure("nothing is scheduled")
        return _write(options, genesis, found, lambda number: ScheduleRules(0, 0, number, ()))


def run_register(options: argparse.Namespace) -> int:
    """`lucid chain register`."""
    from lucid.chain.decision import UNSIGNED
    from lucid.chain.genesis import NAME_BYTES
    from lucid.chain.keys import ed25519_public_key
    from lucid.chain.transactions import RegisterNode
    from lucid.services.process.keyfile import read_key

    for what, text in (("NAME", options.name), ("--pool", options.pool)):
        if len(text.encode()) > NAME_BYTES or not (text or what == "--pool"):
            raise Failure(f"{what} must be 1 to {NAME_BYTES} bytes of text")
    secret = read_key(options.key)
    key = ed25519_public_key(secret)
    with _chain(options) as (genesis, client):
        found = _rules(client)
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

    with _chain(options) as (genesis, client):
        found = _rules(client)
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
    with _chain(options) as (genesis, client):
        found = _rules(client)
        if found.version < REPLICATION_RULES:
            raise Failure(f"this needs rules {REPLICATION_RULES}, and rules {found.version} are in force")
        return _write(options, genesis, found, lambda number: SetReplication(options.factor, number, ()))


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
    decision = Decision(genesis.chain_id, made(found.next_decision))
    if secret is not None:
        decision = decision.signed(secret, Edwards25519())
    try:
        with options.output.open("xb") as file:
            file.write(decision.print())
    except FileExistsError:
        raise Failure(f"{options.output} exists already") from None
    _tell(options, options.output, genesis, decision)
    return 0


# -- approving and handing in ------------------------------------------------------------------------------------


def run_show(options: argparse.Namespace) -> int:
    """`lucid chain show`."""
    genesis = _genesis(options)
    decision = _read(options.file, genesis)
    _tell(options, options.file, genesis, decision)
    return INVALID if _lacking(genesis, decision) else 0


def run_approve(options: argparse.Namespace) -> int:
    """`lucid chain approve`."""
    from lucid.chain.keys import ed25519_public_key
    from lucid.poot.crypto import Edwards25519
    from lucid.services.process.keyfile import read_key

    genesis = _genesis(options)
    decision = _read(options.file, genesis)
    secret = read_key(options.key)
    key = ed25519_public_key(secret)
    if key not in genesis.administrators:
        raise Failure(f"{options.key} is not the key of an administrator of this chain")
    place = genesis.administrators.index(key)
    if place in dict(decision.payload.approvals):
        raise Failure(f"administrator {place} approved it already")
    _check_outlook(options, decision)
    decision = decision.approved(place, secret, Edwards25519())
    part = options.file.with_name(options.file.name + ".part")
    part.write_bytes(decision.print())
    os.replace(part, options.file)
    _tell(options, options.file, genesis, decision)
    return 0


def _check_outlook(options: argparse.Namespace, decision: Decision) -> None:
    """Whether enough validators are left that do their part, as the node sees it that the settings name, before a
    signature helps to leave a chain without blocks."""
    from lucid.chain.transactions import RegisterNode, RetireNode
    from lucid.cli.outlook import outlook
    from lucid.client import calls
    from lucid.client.calls import ClientError

    if not isinstance(decision.payload, RegisterNode | RetireNode):
        return
    try:
        with _chain(options) as (_, client):
            left = outlook(client.send(calls.chain_nodes()), decision.payload)
    except ClientError:
        print("lucid: no node answers, so who is left to make blocks was not looked at (--config)", file=sys.stderr)
        return
    if left is not None and left.stands_still and not options.anyway:
        raise Failure(f"{left.sentence}. The chain may make no blocks any more: --anyway signs all the same", INVALID)


def run_submit(options: argparse.Namespace) -> int:
    """`lucid chain submit`."""
    from lucid.chain.codec import encode
    from lucid.chain.hashing import transaction_digest
    from lucid.client import calls

    with _chain(options) as (genesis, client):
        decision = _read(options.file, genesis)
        lacking = _lacking(genesis, decision)
        if lacking:
            raise Failure(f"it lacks {lacking} approvals: lucid chain approve {options.file} --key KEY", INVALID)
        identity = transaction_digest(encode(decision.payload))
        if _state(client, identity) is None:
            _check_turn(decision, _rules(client))
            try:
                client.send(calls.submit_decision(encode(decision.payload)))
            except LucidError as error:
                if error.code is not Code.MEMPOOL_KNOWN:
                    raise _refused(error) from None
        height = _await_final(client, identity, decision, options.wait / 1000)
    if options.json:
        print(json.dumps({"transaction": identity.hex(), "height": height}))
    else:
        print(f"it is final in block {height}" if height is not None else "it is accepted, and not final yet")
    return NOT_FINAL if height is None else 0


def _check_turn(decision: Decision, found: RulesState) -> None:
    number, following = decision.payload.sequence, found.next_decision
    if following is not None and number < following:
        raise Failure(f"it is decision {number}, and the chain has taken another one of that number: begin it anew")
    if following is not None and number > following:
        raise Failure(f"it is decision {number}, and decision {following} has to come before it")


def _refused(error: LucidError) -> Exception:
    if error.code is Code.TX_SIGNATURE:
        return Failure("the node is of another chain than the genesis document here")
    return error


def _await_final(client: Client, identity: bytes, decision: Decision, wait_s: float) -> int | None:
    """The height of the block that holds it; None where that is not final in time."""
    deadline = time.monotonic() + wait_s
    while True:
        state = _state(client, identity)
        if state is None:
            _check_turn(decision, _rules(client))
            raise Failure("the chain refused it: it does not hold there any more (lucid chain rules); begin it anew")
        if state.status == "final" or time.monotonic() >= deadline:
            return state.height if state.status == "final" else None
        time.sleep(ASK_S)


def _state(client: Client, identity: bytes) -> Any:
    """Where a transaction is; None where the node does not have it."""
    from lucid.client import calls
    from lucid.client.calls import ClientError

    try:
        return client.send(calls.decision_state(identity))
    except ClientError as error:
        if error.status != 404:
            raise
        return None


# -- what it works with ------------------------------------------------------------------------------------------


def _read(path: Path, genesis: Genesis) -> Decision:
    """The decision in a file, checked."""
    from lucid.chain.decision import MAX_DECISION_BYTES, parse_decision
    from lucid.poot.crypto import Edwards25519

    try:
        decision = parse_decision(read_bounded(path, MAX_DECISION_BYTES))
    except Refusal as refusal:
        raise Failure(f"{path} is not a decision: {refusal.detail}") from None
    try:
        decision.check(genesis, Edwards25519())
    except Refusal as refusal:
        raise Failure(f"{path} does not hold: {refusal}") from None
    return decision


def _lacking(genesis: Genesis, decision: Decision) -> int:
    return max(0, genesis.threshold - len(decision.payload.approvals))


def _tell(options: argparse.Namespace, path: Path, genesis: Genesis, decision: Decision) -> None:
    """Say what a decision does, and how far it is."""
    from lucid.cli.outlook import describe

    places = [place for place, _ in decision.payload.approvals]
    sentence = describe(decision.payload)
    if options.json:
        state = {"approvals": places, "needed": genesis.threshold, "number": decision.payload.sequence}
        print(json.dumps({"file": str(path), "decision": sentence, **state}))
        return
    print(f"decision {decision.payload.sequence} of chain {genesis.chain_id.hex()[:16]}: {sentence}")
    by = f" by administrator {', '.join(map(str, places))}" if places else ""
    print(f"approved{by}: {len(places)} of {genesis.threshold} that are needed ({len(genesis.administrators)} may)")


def _rules(client: Client) -> RulesState:
    from lucid.client import calls

    return client.send(calls.chain_rules())


def _config(options: argparse.Namespace) -> Config:
    from lucid.services.process.config import load_config

    return load_config(file=options.config)


def _genesis(options: argparse.Namespace) -> Genesis:
    from lucid.services.process.service import read_genesis

    return read_genesis(_config(options).genesis)


@contextmanager
def _chain(options: argparse.Namespace) -> Iterator[tuple[Genesis, Client]]:
    """The chain, and a client of one of its nodes."""
    from lucid.client.http import Client
    from lucid.services.process.service import read_genesis

    config = _config(options)
    token = config.api_tokens[0] if config.api_tokens else config.token
    with Client("", "", token, config.trust(), config.manager_url) as client:
        yield read_genesis(config.genesis), client
