"""A decision of a chain's administrators in its file, and the chain that it is for."""

from __future__ import annotations

import argparse
import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lucid.chain.errors import Refusal
from lucid.cli.failure import Failure, read_bounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lucid.api.answers import RulesState
    from lucid.chain.decision import Decision
    from lucid.chain.genesis import Genesis
    from lucid.client.http import Client
    from lucid.services.process.config import Config


def read_decision(path: Path, genesis: Genesis) -> Decision:
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


def lacking_approvals(genesis: Genesis, decision: Decision) -> int:
    """How many approvals it still needs."""
    return max(0, genesis.threshold - len(decision.payload.approvals))


def tell_decision(options: argparse.Namespace, path: Path, genesis: Genesis, decision: Decision) -> None:
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


def rules_of(client: Client) -> RulesState:
    """The rules and the set, as the node tells them."""
    from lucid.client import calls

    return client.send(calls.chain_rules())


def config_of(options: argparse.Namespace) -> Config:
    """The settings that `--config` names."""
    from lucid.services.process.config import load_config

    return load_config(file=options.config)


def genesis_of(options: argparse.Namespace) -> Genesis:
    """The chain's document, which the settings name."""
    from lucid.services.process.service import read_genesis

    return read_genesis(config_of(options).genesis)


@contextmanager
def chain_of(options: argparse.Namespace) -> Iterator[tuple[Genesis, Client]]:
    """The chain, and a client of one of its nodes."""
    from lucid.client.http import Client
    from lucid.services.process.service import read_genesis

    config = config_of(options)
    token = config.api_tokens[0] if config.api_tokens else config.token
    with Client("", "", token, config.trust(), config.manager_url) as client:
        yield read_genesis(config.genesis), client
