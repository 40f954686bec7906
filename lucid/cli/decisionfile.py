"""A decision of a chain's administrators in its file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lucid.chain.errors import Refusal
from lucid.cli.boundedfile import read_bounded
from lucid.cli.failure import Failure

if TYPE_CHECKING:
    from lucid.chain.administrators import Administrators, Approvals
    from lucid.chain.decision import Decision
    from lucid.chain.genesis import Genesis


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
    """How many signatures it still needs, of those who decide and of those who are to take over."""
    from lucid.chain.transactions import SetAdministrators

    payload = decision.payload
    lacking = max(0, decision.deciding(genesis).threshold - len(payload.approvals))
    if isinstance(payload, SetAdministrators):
        lacking += max(0, payload.threshold - len(payload.acceptances))
    return lacking


def tell_decision(options: argparse.Namespace, path: Path, genesis: Genesis, decision: Decision) -> None:
    """Say what a decision does, and how far it is."""
    from lucid.chain.transactions import SetAdministrators
    from lucid.cli.outlook import describe

    payload, deciding = decision.payload, decision.deciding(genesis)
    places, sentence = _places(payload.approvals), describe(payload)
    if options.json:
        state: dict[str, Any] = {"approvals": places, "needed": deciding.threshold, "number": payload.sequence}
        if isinstance(payload, SetAdministrators):
            state |= {"acceptances": _places(payload.acceptances), "acceptances_needed": payload.threshold}
        print(json.dumps({"file": str(path), "decision": sentence, **state}))
        return
    print(f"decision {payload.sequence} of chain {genesis.chain_id.hex()[:16]}: {sentence}")
    _count("approved", "administrator", places, deciding)
    if isinstance(payload, SetAdministrators):
        _count("accepted", "new administrator", _places(payload.acceptances), payload.administrators)


def _places(signatures: Approvals) -> list[int]:
    return [place for place, _ in signatures]


def _count(what: str, who: str, places: list[int], of: Administrators) -> None:
    by = f" by {who} {', '.join(map(str, places))}" if places else ""
    print(f"{what}{by}: {len(places)} of {of.threshold} that are needed ({len(of.keys)} may)")
