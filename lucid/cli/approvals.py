"""A decision of a chain's administrators once it is written: shown, approved, and handed in until it is final."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from lucid.chain.errors import Code, LucidError
from lucid.cli.decidedchain import chain_of, genesis_of, rules_of
from lucid.cli.decisionfile import lacking_approvals, read_decision, tell_decision
from lucid.cli.failure import INVALID, Failure

if TYPE_CHECKING:
    from lucid.api.answers import RulesState
    from lucid.chain.decision import Decision
    from lucid.chain.genesis import Genesis
    from lucid.client.http import Client

NOT_FINAL = 10
ASK_S = 0.5


def run_show(options: argparse.Namespace) -> int:
    """`lucid chain show`."""
    genesis = genesis_of(options)
    decision = read_decision(options.file, genesis)
    tell_decision(options, options.file, genesis, decision)
    return INVALID if lacking_approvals(genesis, decision) else 0


def run_approve(options: argparse.Namespace) -> int:
    """`lucid chain approve`."""
    from lucid.chain.ed25519 import ed25519_public_key
    from lucid.services.process.keyfile import read_key

    genesis = genesis_of(options)
    decision = read_decision(options.file, genesis)
    secret = read_key(options.key)
    key = ed25519_public_key(secret)
    signed = _signed(genesis, decision, key, secret)
    if signed is None:
        raise Failure(f"{options.key} is not the key of an administrator of this chain")
    if signed == decision:
        raise Failure(f"{options.key} approved it already")
    _check_outlook(options, decision)
    decision = signed
    part = options.file.with_name(options.file.name + ".part")
    part.write_bytes(decision.print())
    os.replace(part, options.file)
    tell_decision(options, options.file, genesis, decision)
    return 0


def _signed(genesis: Genesis, decision: Decision, key: bytes, secret: bytes) -> Decision | None:
    """The decision with all that this key has to say to it: as an administrator, and as one who takes over."""
    from lucid.chain.transactions import SetAdministrators
    from lucid.poot.crypto import Edwards25519

    crypto, deciding = Edwards25519(), decision.deciding(genesis).keys
    following = decision.payload.keys if isinstance(decision.payload, SetAdministrators) else ()
    if key not in (*deciding, *following):
        return None
    if key in deciding:
        decision = decision.approved(deciding.index(key), secret, crypto)
    if key in following:
        decision = decision.accepted(following.index(key), secret, crypto)
    return decision


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
        with chain_of(options) as (_, client):
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
    from lucid.services.chain.deciders import deciders

    with chain_of(options) as (genesis, client):
        decision = read_decision(options.file, genesis)
        lacking = lacking_approvals(genesis, decision)
        if lacking:
            raise Failure(f"it lacks {lacking} approvals: lucid chain approve {options.file} --key KEY", INVALID)
        identity = transaction_digest(encode(decision.payload))
        if _state(client, identity) is None:
            found = rules_of(client)
            _check_turn(decision, found)
            if found.administrators not in (None, deciders(decision.deciding(genesis))):
                raise Failure("other administrators decide since: begin it anew")
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
        raise Failure(f"this is decision {number}, and the chain has taken another one of that number: begin it anew")
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
            _check_turn(decision, rules_of(client))
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
