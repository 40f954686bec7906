"""Transactions: what an id and each signature cover, and what they leave out."""

from __future__ import annotations

from typing import Any

import pytest
from blake3 import blake3
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import structs

from lucid.chain.codec import decode, encode
from lucid.chain.transactions import (
    Equivocation,
    FalseProof,
    NodeCapacity,
    Payload,
    RegisterNode,
    RelayMandate,
    RelayReceipt,
    ReplicaCommit,
    ReplicaHolding,
    RetireNode,
    ScheduleRules,
    SessionAnchor,
    SetAdministrators,
    SetReplication,
    StorageProof,
    Transaction,
    UptimeBeacon,
    claim_message,
    endorsement_message,
)
from tests.builders import digest
from tests.messagepack import pack
from tests.strategies import values

CHAIN = digest("chain")
TAGS = {
    SessionAnchor: 1,
    ReplicaCommit: 2,
    UptimeBeacon: 3,
    RegisterNode: 4,
    RetireNode: 5,
    Equivocation: 6,
    ScheduleRules: 7,
    SetReplication: 8,
    ReplicaHolding: 9,
    StorageProof: 10,
    FalseProof: 11,
    SetAdministrators: 12,
    RelayMandate: 13,
    RelayReceipt: 14,
    NodeCapacity: 15,
}
CLAIMED = (
    SessionAnchor,
    ReplicaCommit,
    ReplicaHolding,
    StorageProof,
    UptimeBeacon,
    RelayMandate,
    RelayReceipt,
    NodeCapacity,
)
SIGNED = (*CLAIMED, RegisterNode, RetireNode, ScheduleRules, SetReplication, SetAdministrators)

signed_payloads = st.one_of([values(kind) for kind in SIGNED])


def derived(context: str, value: object) -> bytes:
    hasher = blake3(derive_key_context=context)
    hasher.update(pack(value))
    return hasher.digest()


@given(value=st.one_of([values(kind) for kind in TAGS]))
def test_a_payload_begins_with_its_number(value: Payload) -> None:
    encoding = encode(value)
    assert encoding[0] & 0xF0 == 0x90 and encoding[1] == TAGS[type(value)]
    assert decode(encoding, Payload) == value  # type: ignore[arg-type]


@given(transaction=values(Transaction), other=values(Transaction))
def test_the_id_is_of_the_payload_alone(transaction: Transaction, other: Transaction) -> None:
    assert transaction.id == derived("lucid transaction v1", transaction.payload)
    assert structs.replace(other, payload=transaction.payload).id == transaction.id
    assert (other.id == transaction.id) is (other.payload == transaction.payload)


@given(payload=signed_payloads)
def test_a_claim_covers_the_chain_and_the_payload_without_its_signatures(payload: Payload) -> None:
    empty: dict[str, Any] = {"approvals": (), "acceptances": (), "signature": b""}
    blank = {field: empty[field] for field in type(payload).__struct_fields__ if field in empty}
    assert claim_message(CHAIN, payload) == derived("lucid claim v1", (CHAIN, structs.replace(payload, **blank)))


@given(data=st.data(), kind=st.sampled_from(SIGNED))
def test_a_claim_changes_with_every_field_but_its_signatures(data: st.DataObject, kind: type[Payload]) -> None:
    payload, other = data.draw(values(kind)), data.draw(values(kind))
    for field in kind.__struct_fields__:
        changed = structs.replace(payload, **{field: getattr(other, field)})
        same = changed == payload or field in {"signature", "approvals", "acceptances"}
        assert (claim_message(CHAIN, changed) == claim_message(CHAIN, payload)) is same


@given(payload=signed_payloads, chain=st.binary(min_size=32, max_size=32))
def test_a_claim_is_of_one_chain(payload: Payload, chain: bytes) -> None:
    assume(chain != CHAIN)
    assert claim_message(chain, payload) != claim_message(CHAIN, payload)


def test_a_request_to_register_is_none_to_retire() -> None:
    key = digest("key")
    assert claim_message(CHAIN, RetireNode(key, 1, ())) != claim_message(
        CHAIN, RegisterNode(key, "", "", 1, (), bytes(64))
    )


def test_an_endorsement_covers_the_chain_the_id_and_the_expiry() -> None:
    one, two = digest(1), digest(2)
    assert endorsement_message(CHAIN, one, 7) == derived("lucid endorsement v1", (CHAIN, one, 7))
    messages = {
        endorsement_message(*parts) for parts in [(CHAIN, one, 7), (CHAIN, two, 7), (CHAIN, one, 8), (one, CHAIN, 7)]
    }
    assert len(messages) == 4


@pytest.mark.parametrize("kind", TAGS)
def test_every_payload_is_listed(kind: type[Payload]) -> None:
    assert kind in Payload.__args__
    assert len(Payload.__args__) == len(TAGS)
