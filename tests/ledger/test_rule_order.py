"""Every transaction rule in its written order: of two that fail, the earlier is named.

`Chain.verdict` asks a leader and a judge and checks that they agree and that a refused transaction changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from lucid.chain.challenges import SegmentAnswer
from lucid.chain.errors import Code
from lucid.chain.genesis import Activation
from lucid.chain.transactions import Administrative, FalseProof, Payload, StorageProof, Transaction
from lucid.chain.versions import (
    ADMINISTRATOR_RULES,
    CAPACITY_RULES,
    HOLDING_RULES,
    PROOF_RULES,
    RELAY_RULES,
    REPLICATION_RULES,
)
from tests.builders import Chain, digest, make_genesis, secret

STRANGER = secret("stranger")

Break = Callable[[dict[str, Any]], None]


def setting(**fields: Any) -> Break:
    """Break a rule by other fields of the draft."""
    return lambda draft: draft.update(fields)


ENVELOPE: list[tuple[Code, Break]] = [
    (Code.TX_EXPIRED, setting(valid_until=3)),
    (Code.TX_ENDORSER, setting(endorser=7)),
    (Code.TX_ENDORSER, setting(endorsed=False)),
]
ORDERS: dict[str, list[tuple[Code, Break]]] = {
    "anchor": [
        *ENVELOPE,
        (Code.TX_FIELD, setting(chunks=0)),
        (Code.TX_SIGNATURE, setting(signer=STRANGER)),
        (Code.SESSION_DUPLICATE, setting(session=0)),
    ],
    "commit": [
        *ENVELOPE,
        (Code.TX_NOT_MEMBER, setting(node=7)),
        (Code.TX_FIELD, setting(ranges=())),
        (Code.TX_SIGNATURE, setting(signer=STRANGER)),
        (Code.SESSION_UNKNOWN, setting(session=5)),
    ],
    "commit again": [
        *ENVELOPE,
        (Code.TX_FIELD, setting(ranges=())),
        (Code.TX_SIGNATURE, setting(signer=STRANGER)),
        (Code.REPLICA_DUPLICATE, setting(node=1)),
    ],
    "commit under rules 3": [
        *ENVELOPE,
        (Code.TX_RULES, setting()),
        (Code.TX_RULES, setting(node=7)),
    ],
    "holding under rules 2": [
        *ENVELOPE,
        (Code.TX_RULES, setting()),
        (Code.TX_RULES, setting(node=7)),
    ],
    "holding": [
        *ENVELOPE,
        (Code.TX_NOT_MEMBER, setting(node=7)),
        (Code.TX_FIELD, setting(ranges=((0, 0),))),
        (Code.TX_HOLDING_HEIGHT, setting(height=5)),
        (Code.TX_SIGNATURE, setting(signer=STRANGER)),
        (Code.SESSION_UNKNOWN, setting(session=5)),
    ],
    "holding anew": [
        *ENVELOPE,
        (Code.TX_FIELD, setting(ranges=((0, 0),))),
        (Code.TX_HOLDING_HEIGHT, setting(height=5)),
        (Code.TX_SIGNATURE, setting(signer=STRANGER)),
        (Code.TX_FIELD, setting(ranges=((0, 8),))),
        (Code.TX_HOLDING_HEIGHT, setting(node=1)),
        (Code.TX_FIELD, setting(ranges=())),
    ],
    "proof under rules 3": [
        *ENVELOPE,
        (Code.TX_RULES, setting()),
        (Code.TX_RULES, setting(node=7)),
    ],
    "proof": [
        *ENVELOPE,
        (Code.TX_NOT_MEMBER, setting(node=7)),
        (Code.TX_FIELD, setting(segments=0)),
        (Code.TX_PROOF_EPOCH, setting(epoch=1)),
        (Code.TX_SIGNATURE, setting(signer=STRANGER)),
        (Code.SESSION_UNKNOWN, setting(session=5)),
        (Code.TX_PROOF_DUE, setting(due=False)),
    ],
    "false under rules 3": [
        *ENVELOPE,
        (Code.TX_RULES, setting()),
        (Code.TX_RULES, setting(node=7)),
    ],
    "false": [
        *ENVELOPE,
        (Code.TX_NOT_MEMBER, setting(node=7)),
        (Code.TX_PROOF_EPOCH, setting(epoch=1)),
        (Code.TX_SIGNATURE, setting(signer=STRANGER)),
        (Code.SESSION_UNKNOWN, setting(session=5)),
    ],
    "heartbeat": [
        *ENVELOPE,
        (Code.TX_NOT_MEMBER, setting(node=7)),
        (Code.TX_BEACON_SLOT, setting(slot=2)),
        (Code.TX_BEACON_BLOCK, setting(block=digest("nothing"))),
        (Code.TX_SIGNATURE, setting(signer=STRANGER)),
    ],
    "heartbeat again": [
        *ENVELOPE,
        (Code.TX_BEACON_SLOT, setting(slot=2)),
        (Code.TX_BEACON_BLOCK, setting(block=digest("nothing"))),
        (Code.TX_SIGNATURE, setting(signer=STRANGER)),
        (Code.TX_BEACON_TWICE, setting(node=1)),
    ],
    "register": [
        *ENVELOPE,
        (Code.TX_FIELD, setting(name="")),
        (Code.TX_MEMBER, setting(node=1)),
        (Code.TX_ADMIN_SEQUENCE, setting(sequence=4)),
        (Code.TX_ADMIN_THRESHOLD, setting(administrators=(1, 0))),
        (Code.TX_SIGNATURE, setting(approved=False)),
    ],
    "retire": [
        *ENVELOPE,
        (Code.TX_NOT_MEMBER, setting(node=7)),
        (Code.TX_ADMIN_SEQUENCE, setting(sequence=4)),
        (Code.TX_ADMIN_THRESHOLD, setting(administrators=(1, 0))),
        (Code.TX_SIGNATURE, setting(approved=False)),
    ],
    "retire the last": [
        *ENVELOPE,
        (Code.TX_NOT_MEMBER, setting(node=7)),
        (Code.TX_LAST_MEMBER, setting()),
        (Code.TX_LAST_MEMBER, setting(sequence=4)),
        (Code.TX_LAST_MEMBER, setting(administrators=(1, 0))),
        (Code.TX_LAST_MEMBER, setting(approved=False)),
    ],
    "schedule": [
        *ENVELOPE,
        (Code.TX_ACTIVATION, setting(version=1)),
        (Code.TX_ADMIN_SEQUENCE, setting(sequence=4)),
        (Code.TX_ADMIN_THRESHOLD, setting(administrators=(1, 0))),
        (Code.TX_SIGNATURE, setting(approved=False)),
    ],
    "replication under the first rules": [
        *ENVELOPE,
        (Code.TX_RULES, setting()),
        (Code.TX_RULES, setting(factor=0)),
        (Code.TX_RULES, setting(sequence=4)),
    ],
    "replication": [
        *ENVELOPE,
        (Code.TX_FIELD, setting(factor=0)),
        (Code.TX_ADMIN_SEQUENCE, setting(sequence=4)),
        (Code.TX_ADMIN_THRESHOLD, setting(administrators=(1, 0))),
        (Code.TX_SIGNATURE, setting(approved=False)),
    ],
    "administrators under rules 4": [
        *ENVELOPE,
        (Code.TX_RULES, setting()),
        (Code.TX_RULES, setting(threshold=0)),
        (Code.TX_RULES, setting(sequence=4)),
    ],
    "administrators": [
        *ENVELOPE,
        (Code.TX_FIELD, setting(threshold=3)),
        (Code.TX_ADMIN_SEQUENCE, setting(sequence=4)),
        (Code.TX_ADMIN_THRESHOLD, setting(administrators=(1, 0))),
        (Code.TX_SIGNATURE, setting(approved=False)),
        (Code.TX_ADMIN_THRESHOLD, setting(accepted=(0,))),
    ],
    "mandate under rules 5": [
        *ENVELOPE,
        (Code.TX_RULES, setting()),
        (Code.TX_RULES, setting(relay=7)),
    ],
    "mandate": [
        *ENVELOPE,
        (Code.TX_NOT_MEMBER, setting(relay=7)),
        (Code.TX_SIGNATURE, setting(signer=STRANGER)),
        (Code.SESSION_UNKNOWN, setting(session=5)),
    ],
    "mandate again": [
        *ENVELOPE,
        (Code.TX_NOT_MEMBER, setting(relay=7)),
        (Code.TX_SIGNATURE, setting(signer=STRANGER)),
        (Code.TX_RELAY_TWICE, setting()),
    ],
    "receipt under rules 5": [
        *ENVELOPE,
        (Code.TX_RULES, setting()),
        (Code.TX_RULES, setting(node=7)),
    ],
    "receipt": [
        *ENVELOPE,
        (Code.TX_NOT_MEMBER, setting(node=7)),
        (Code.TX_FIELD, setting(chunks=0)),
        (Code.TX_SIGNATURE, setting(signer=STRANGER)),
        (Code.SESSION_UNKNOWN, setting(session=5)),
        (Code.TX_RELAY_OTHER, setting(relay=2)),
        (Code.TX_RELAY_STALE, setting(height=5)),
        (Code.TX_RELAY_CLAIM, setting(chunks=4)),
    ],
    "receipt again": [
        *ENVELOPE,
        (Code.TX_FIELD, setting(chunks=0)),
        (Code.TX_SIGNATURE, setting(signer=STRANGER)),
        (Code.TX_RELAY_OTHER, setting(relay=2)),
        (Code.TX_RELAY_TWICE, setting()),
    ],
    "capacity under rules 6": [
        *ENVELOPE,
        (Code.TX_RULES, setting()),
        (Code.TX_RULES, setting(node=7)),
    ],
    "capacity": [
        *ENVELOPE,
        (Code.TX_NOT_MEMBER, setting(node=7)),
        (Code.TX_FIELD, setting(tickets=17)),
        (Code.TX_HOLDING_HEIGHT, setting(height=9)),
        (Code.TX_SIGNATURE, setting(signer=STRANGER)),
        (Code.TX_HOLDING_HEIGHT, setting(node=1)),
    ],
    "evidence": [
        *ENVELOPE,
        (Code.TX_NOT_MEMBER, setting(node=7)),
        (Code.TX_EVIDENCE, setting(epoch=1)),
        (Code.TX_SIGNATURE, setting(approved=False)),
        (Code.TX_EVIDENCE_TWICE, setting(view=2)),
    ],
}
NEVER_IN_ORDER = (
    "proof",
    "proof under rules 3",
    "false under rules 3",
    "retire the last",
    "replication under the first rules",
    "administrators under rules 4",
    "mandate under rules 5",
    "mandate again",
    "receipt under rules 5",
    "receipt again",
    "capacity under rules 6",
    "commit under rules 3",
    "holding under rules 2",
)
VERSIONS = {
    "replication": REPLICATION_RULES,
    "administrators under rules 4": PROOF_RULES,
    "administrators": ADMINISTRATOR_RULES,
    "commit under rules 3": HOLDING_RULES,
    "holding under rules 2": REPLICATION_RULES,
    "proof under rules 3": HOLDING_RULES,
    "proof": PROOF_RULES,
    "false under rules 3": HOLDING_RULES,
    "false": PROOF_RULES,
    "holding": HOLDING_RULES,
    "holding anew": HOLDING_RULES,
    "mandate under rules 5": ADMINISTRATOR_RULES,
    "mandate": RELAY_RULES,
    "mandate again": RELAY_RULES,
    "receipt under rules 5": ADMINISTRATOR_RULES,
    "receipt": RELAY_RULES,
    "receipt again": RELAY_RULES,
    "capacity under rules 6": RELAY_RULES,
    "capacity": CAPACITY_RULES,
}
"""Where they are not the first."""
# Each rule of each kind, and those that come after it.
CASES = [
    pytest.param(kind, breaks[place:], id=f"{kind}, rule {place}")
    for kind, breaks in ORDERS.items()
    for place in range(len(breaks))
]


def draft_payload(chain: Chain, kind: str, draft: dict[str, Any]) -> Payload:
    """The payload that a draft describes; what it leaves out is in order."""
    node, signer = draft.get("node", 0), draft.get("signer")
    match kind.split(maxsplit=1)[0]:
        case "anchor":
            return chain.anchor(draft.get("session", 5), signer, chunks=draft.get("chunks", 1))
        case "commit":
            return chain.commit(draft.get("session", 0), node, signer, ranges=draft.get("ranges", ((0, 1),)))
        case "holding":
            ranges, height = draft.get("ranges", ((0, 1),)), draft.get("height", 2)
            return chain.holding(draft.get("session", 0), node, signer, ranges=ranges, height=height)
        case "heartbeat":
            block = draft.get("block", chain.blocks[2].header.hash)
            return chain.heartbeat(node, draft.get("slot", 1), block, signer=signer)
        case "proof" | "false" | "evidence" | "mandate" | "receipt" | "capacity" as name:
            return (drafted_evidence if name in {"proof", "false", "evidence"} else drafted_word)(chain, kind, draft)
    sequence, administrators = draft.get("sequence", 0), draft.get("administrators", (0, 1))
    request: Administrative
    if kind.startswith("replication"):
        request = chain.replicate(draft.get("factor", 5), sequence, administrators)
    elif kind.startswith("administrators"):
        accepted = draft.get("accepted", (0, 1))
        request = chain.hand_on((4, 5), draft.get("threshold", 2), sequence, administrators, accepted=accepted)
    elif kind == "schedule":
        request = chain.schedule(draft.get("version", 3), 40, sequence, administrators)
    elif kind == "register":
        request = chain.register(draft.get("node", 5), sequence, administrators, name=draft.get("name", "new"))
    else:
        request = chain.retire(node, sequence, administrators)
    unsigned = tuple((place, bytes(64)) for place, _ in request.approvals)
    return request if draft.get("approved", True) else structs.replace(request, approvals=unsigned)


def drafted_word(chain: Chain, kind: str, draft: dict[str, Any]) -> Payload:
    """An owner's word on its session's relay, a holder's on what came from there, or a node's on its room."""
    session, relay, signer = draft.get("session", 0), draft.get("relay", 0), draft.get("signer")
    if kind.startswith("capacity"):
        return chain.capacity(draft.get("node", 0), draft.get("tickets", 4), signer, draft.get("height", 2))
    if kind.startswith("mandate"):
        return chain.mandate(session, relay, signer)
    said = {"chunks": draft.get("chunks", 3), "height": draft.get("height", 2)}
    return chain.receipt(session, draft.get("node", 1), relay, signer, **said)


def drafted_evidence(chain: Chain, kind: str, draft: dict[str, Any]) -> Payload:
    """Two votes, or a proof that leads nowhere, of what nobody said, or that as evidence."""
    if kind == "evidence":
        evidence = chain.evidence(draft.get("node", 2), draft.get("view", 1), draft.get("epoch", 0))
        blank = structs.replace(evidence.second, signature=bytes(64))
        return evidence if draft.get("approved", True) else structs.replace(evidence, second=blank)
    node, session = draft.get("node", 0), chain.anchor(draft.get("session", 0))
    answer = SegmentAnswer(0, bytes(32), (), draft.get("segments", 1), 0, b"x", ())
    fields = chain.node(node), session.owner, session.session, draft.get("epoch", 0), (answer, answer), bytes(64)
    proof = chain.sign(StorageProof(*fields), draft.get("signer") or secret(f"node {node}"))
    return proof if kind.startswith("proof") else FalseProof(proof)


def drafted(chain: Chain, kind: str, draft: dict[str, Any]) -> Transaction:
    endorser, valid_until = chain.node(draft.get("endorser", 0)), draft.get("valid_until", 9)
    transaction = chain.endorse(draft_payload(chain, kind, draft), endorser, valid_until)
    return transaction if draft.get("endorsed", True) else structs.replace(transaction, endorsement=bytes(64))


def prepared(kind: str) -> Chain:
    """A chain at height 3, on which session 0 and one of each once-only claim are taken."""
    rules = Activation(VERSIONS[kind]) if kind in VERSIONS else None
    chain = Chain(make_genesis(1 if kind == "retire the last" else 4, rules=rules))
    chain.grow(chain.anchor())
    for _ in range(2):
        chain.grow()
    if kind != "retire the last":
        said = chain.holding(node=1, height=2) if VERSIONS.get(kind, 1) >= HOLDING_RULES else chain.commit(node=1)
        later: list[Payload] = []
        if VERSIONS.get(kind, 1) >= RELAY_RULES and kind != "mandate":
            later = [chain.mandate()]
        if kind == "receipt again":
            later.append(chain.receipt(height=2))
        if kind == "capacity":
            later.append(chain.capacity(1))
        chain.grow(said, chain.heartbeat(1, 1, chain.hash), chain.evidence(2, view=2), *later)
    return chain


CHAINS = {kind: prepared(kind) for kind in ORDERS}


@pytest.mark.parametrize("kind", [kind for kind in ORDERS if kind not in NEVER_IN_ORDER])
def test_a_draft_without_a_break_is_in_order(kind: str) -> None:
    assert CHAINS[kind].verdict(drafted(CHAINS[kind], kind, {})) is None


@pytest.mark.parametrize(("kind", "breaks"), CASES)
def test_the_first_rule_that_fails_in_the_written_order_is_named(kind: str, breaks: list[tuple[Code, Break]]) -> None:
    """A rule broken alone, and together with each later one."""
    code, breaks_it = breaks[0]
    for _, breaks_later in breaks:
        draft: dict[str, Any] = {}
        breaks_later(draft)
        breaks_it(draft)
        assert CHAINS[kind].verdict(drafted(CHAINS[kind], kind, draft)) is code, draft


@pytest.mark.parametrize("kind", ORDERS)
def test_size_comes_before_every_other_rule(kind: str) -> None:
    chain = Chain(make_genesis(max_transaction_bytes=100))
    for _ in range(3):
        chain.grow()
    everything: dict[str, Any] = {}
    for _, each in reversed(ORDERS[kind]):
        each(everything)
    assert chain.verdict(drafted(chain, kind, everything)) is Code.TX_SIZE
