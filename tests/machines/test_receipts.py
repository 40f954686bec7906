"""Receipts that a chain's nodes make: each verifies from genesis alone, over epochs, and nothing changed does."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.chain.codec import encode
from lucid.chain.errors import LucidError, Refusal
from lucid.chain.receipts import print_receipt, verify_receipt
from lucid.chain.transactions import SessionAnchor
from lucid.machines.receipts import make_receipt
from tests.builders import CRYPTO
from tests.machines.fleets import Fleet
from tests.machines.peers import tiny_genesis

GENESIS = tiny_genesis()
BLOCKS = 24
"""Two epochs of nine views, and some."""


@cache
def grown() -> Fleet:
    """A network whose every block may hold an anchor."""
    fleet = Fleet(GENESIS).start()
    for number in range(BLOCKS):
        fleet.submit(number % 4, fleet.signer.anchor(number))
        fleet.run(GENESIS.parameters.block_interval_ms)
    return fleet.run(3_000)


@cache
def receipts(site: int = 0) -> tuple[bytes, ...]:
    """The receipt of every transaction that a node holds as final."""
    chain = grown().sites[site].manager.chain
    made = []
    for height in range(1, chain.tree.root.height + 1):
        block = chain.block_at(height)
        assert block is not None
        for place in range(len(block.transactions)):
            receipt = make_receipt(chain, height, place)
            assert receipt is not None
            made.append(print_receipt(receipt, GENESIS))
    return tuple(made)


def anchored(data: bytes) -> bool:
    """Whether a receipt is of a session."""
    return bool(json.loads(data)["session"])


def test_every_transaction_of_a_chain_has_a_receipt_that_holds() -> None:
    sessions = set()
    epochs = set()
    for data in receipts():
        verified = verify_receipt(data, GENESIS, CRYPTO)
        document = json.loads(data)
        assert (verified.height, verified.time_ms) == (document["height"], document["time_ms"])
        epochs.add(len(document["closings"]))
        if isinstance(verified.transaction.payload, SessionAnchor):
            sessions.add(verified.transaction.payload.session.hex())
            assert verified.transaction.payload.session.hex() == document["session"]
    assert len(sessions) == BLOCKS and epochs >= {0, 1, 2}


def test_there_is_none_where_there_is_no_transaction() -> None:
    chain = grown().sites[0].manager.chain
    assert make_receipt(chain, 0, 0) is None and make_receipt(chain, 10_000, 0) is None
    assert make_receipt(chain, 1, 1_000) is None and make_receipt(chain, 1, -1) is None


def test_a_receipt_is_of_its_own_chain_alone() -> None:
    other = tiny_genesis(cooldown_slots=9)
    for data in receipts():
        with pytest.raises(Refusal, match="another chain"):
            verify_receipt(data, other, CRYPTO)
        forged = data.replace(GENESIS.chain_id.hex().encode(), other.chain_id.hex().encode())
        with pytest.raises(Refusal):
            verify_receipt(forged, other, CRYPTO)


def test_a_checkpoint_must_be_passed() -> None:
    data = receipts()[-1]
    verified = verify_receipt(data, GENESIS, CRYPTO)
    assert verify_receipt(data, GENESIS, CRYPTO, verified.hash) == verified
    with pytest.raises(Refusal, match="checkpoint"):
        verify_receipt(data, GENESIS, CRYPTO, bytes(32))


def test_a_receipt_reaches_whatever_final_block_is_asked_for() -> None:
    chain = grown().sites[0].manager.chain
    top = chain.tree.root.height
    for reach in range(1, top + 1):
        block = chain.block_at(reach)
        receipt = make_receipt(chain, 2, 0, reach)
        assert block is not None and receipt is not None
        verified = verify_receipt(print_receipt(receipt, GENESIS), GENESIS, CRYPTO, receipt.headers[0].hash)
        assert verified.height == 2
        if reach >= 2:
            assert verify_receipt(print_receipt(receipt, GENESIS), GENESIS, CRYPTO, block.header.hash) == verified
    assert make_receipt(chain, 2, 0, top + 1) is None


def mixed(field: str, value: Any, number: int = -1) -> bytes:
    """A receipt with one field replaced."""
    return json.dumps({**json.loads(receipts()[number]), field: value}).encode()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lucid_receipt", 2),
        ("session", "00" * 16),
        ("height", 1),
        ("time_ms", 0),
        ("transaction", ""),
        ("transaction", "zz"),
        ("index", 1_000),
        ("index", -1),
        ("size", 0),
        ("headers", []),
        ("certificate", "00"),
        ("closings", []),
        ("path", ["00" * 32] * 4),
        ("more", 1),
    ],
)
def test_what_was_changed_does_not_hold(field: str, value: Any) -> None:
    with pytest.raises(Refusal):
        verify_receipt(mixed(field, value), GENESIS, CRYPTO)


def test_parts_of_two_receipts_do_not_make_a_third() -> None:
    some = [data for data in receipts() if anchored(data)][::6]
    for one in some:
        for other in some:
            for field in ("transaction", "path", "headers", "certificate", "closings"):
                document = {**json.loads(one), field: json.loads(other)[field]}
                if document != json.loads(one):
                    with pytest.raises(Refusal):
                        verify_receipt(json.dumps(document).encode(), GENESIS, CRYPTO)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_any_flipped_byte_is_refused(data: Any) -> None:
    text = receipts()[data.draw(st.integers(0, len(receipts()) - 1))]
    where = data.draw(st.integers(0, len(text) - 1))
    changed = bytearray(text)
    changed[where] ^= data.draw(st.integers(1, 255))
    try:
        verified = verify_receipt(bytes(changed), GENESIS, CRYPTO)
    except LucidError:
        return
    assert json.loads(bytes(changed)) == json.loads(text) or bytes(changed).lower() == text
    assert encode(verified.transaction).hex() == json.loads(text)["transaction"]


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda x: json.dumps(x).encode())
)
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(Refusal):
        verify_receipt(data, GENESIS, CRYPTO)
