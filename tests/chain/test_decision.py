"""Decisions of administrators as files: what is written is read back, and only what is signed holds."""

from __future__ import annotations

import json

import pytest
from msgspec import structs

from lucid.chain.administrators import Administrators
from lucid.chain.decision import UNSIGNED, Decision, parse_decision
from lucid.chain.ed25519 import ed25519_public_key
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.chain.transactions import (
    Administrative,
    RegisterNode,
    RetireNode,
    ScheduleRules,
    SetAdministrators,
    SetReplication,
)
from lucid.poot.crypto import Edwards25519

CRYPTO = Edwards25519()
NODE, *ADMINISTRATORS = (bytes([number]) * 32 for number in range(1, 5))
KEY = ed25519_public_key(NODE)
GENESIS = Genesis(
    1_790_000_000_000, (GenesisNode(KEY, "a"),), tuple(ed25519_public_key(each) for each in ADMINISTRATORS), 2
).check()
PAYLOADS = (
    RegisterNode(KEY, 'näme"', "pool", 3, (), UNSIGNED),
    RetireNode(KEY, 0, ()),
    ScheduleRules(2, 77, 1, ()),
    ScheduleRules(0, 0, 1, ()),
    SetReplication(5, 2, ()),
    SetAdministrators((KEY, ed25519_public_key(ADMINISTRATORS[2])), 1, 4, (), ()),
)


def begun(payload: Administrative) -> Decision:
    """A decision without approvals."""
    decision = Decision(GENESIS.chain_id, payload)
    return decision.signed(NODE, CRYPTO) if isinstance(payload, RegisterNode) else decision


@pytest.mark.parametrize("payload", PAYLOADS)
def test_it_is_written_read_and_approved_in_any_order(payload: Administrative) -> None:
    decision = begun(payload)
    for place in (2, 0):
        decision = parse_decision(decision.print()).approved(place, ADMINISTRATORS[place], CRYPTO)
        decision.check(GENESIS, CRYPTO)
    assert [place for place, _ in decision.payload.approvals] == [0, 2]
    assert parse_decision(decision.print()) == decision


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_changed_one_does_not_hold(payload: Administrative) -> None:
    decision = begun(payload).approved(0, ADMINISTRATORS[0], CRYPTO)
    with pytest.raises(Refusal) as refused:
        decision._replace(payload=structs.replace(decision.payload, sequence=9)).check(GENESIS, CRYPTO)
    assert refused.value.code is Code.TX_SIGNATURE


def refusal(decision: Decision) -> Refusal:
    """Why it does not hold."""
    with pytest.raises(Refusal) as refused:
        decision.check(GENESIS, CRYPTO)
    return refused.value


def test_what_does_not_hold_is_named() -> None:
    good = begun(PAYLOADS[1]).approved(0, ADMINISTRATORS[0], CRYPTO)
    assert "another chain" in refusal(good._replace(chain_id=bytes(32))).detail
    assert "administrator 1" in refusal(good.approved(1, NODE, CRYPTO)).detail
    assert "administrator 3" in refusal(good.approved(3, NODE, CRYPTO)).detail
    twice = structs.replace(good.payload, approvals=2 * good.payload.approvals)
    assert refusal(good._replace(payload=twice)).code is Code.TX_ADMIN_THRESHOLD
    unsigned = Decision(GENESIS.chain_id, PAYLOADS[0]).approved(0, ADMINISTRATORS[0], CRYPTO)
    assert "node that it registers" in refusal(unsigned).detail


def test_those_who_take_over_sign_too_and_only_they() -> None:
    handed = Decision(GENESIS.chain_id, PAYLOADS[-1])
    signed = parse_decision(
        handed.approved(2, ADMINISTRATORS[2], CRYPTO).accepted(1, ADMINISTRATORS[2], CRYPTO).print()
    )
    signed.check(GENESIS, CRYPTO)
    payload = signed.payload
    assert isinstance(payload, SetAdministrators) and [place for place, _ in payload.acceptances] == [1]
    assert "new administrator 0" in refusal(handed.accepted(0, ADMINISTRATORS[0], CRYPTO)).detail
    assert "new administrator 2" in refusal(handed.accepted(2, NODE, CRYPTO)).detail
    twice = structs.replace(handed.payload, keys=(KEY, KEY))
    assert refusal(handed._replace(payload=twice)).code is Code.TX_FIELD


def test_a_file_says_who_decides_where_the_document_does_not_any_more() -> None:
    others = Administrators((KEY,), 1)
    decision = Decision(GENESIS.chain_id, PAYLOADS[1], others).approved(0, NODE, CRYPTO)
    decision.check(GENESIS, CRYPTO)
    assert parse_decision(decision.print()) == decision
    assert decision.deciding(GENESIS) == others
    assert "administrator 0" in refusal(decision._replace(administrators=None)).detail
    assert b"deciding" not in begun(PAYLOADS[1]).print(), "as releases before wrote it"


@pytest.mark.parametrize(
    "change",
    [
        {"lucid_decision": 2},
        {"chain": "00"},
        {"number": -1},
        {"decision": {"kind": "burn_node", "node": KEY.hex()}},
        {"decision": {"kind": "retire_node"}},
        {"approvals": [{"administrator": 0, "signature": "00"}]},
        {"other": 1},
    ],
)
def test_what_is_no_decision_is_refused(change: dict[str, object]) -> None:
    fields = json.loads(begun(PAYLOADS[1]).print()) | change
    with pytest.raises(Refusal) as refused:
        parse_decision(json.dumps(fields).encode())
    assert refused.value.code is Code.MALFORMED
    for data in (b"", b"[]", b"{", b"\xff"):
        with pytest.raises(Refusal):
            parse_decision(data)
