"""Headers and bodies: every hash between them against its preimage, written out."""

from __future__ import annotations

from hashlib import blake2b

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from lucid.chain.blocks import (
    Header,
    certificate_hash,
    genesis_beacon,
    late_votes_hash,
    next_beacon,
    transactions_root,
)
from lucid.chain.certificates import Certificate
from lucid.chain.transactions import Transaction
from lucid.chain.votes import Vote
from tests.builders import Chain, digest, make_genesis
from tests.messagepack import pack
from tests.strategies import values


def derived(context: str, data: bytes) -> bytes:
    hasher = blake3(derive_key_context=context)
    hasher.update(data)
    return hasher.digest()


@given(header=values(Header))
def test_the_block_hash_is_of_the_whole_header(header: Header) -> None:
    assert header.hash == derived("lucid block v1", pack(header))


@given(header=values(Header), data=st.data())
def test_every_field_changes_the_block_hash(header: Header, data: st.DataObject) -> None:
    other = data.draw(values(Header))
    for field in Header.__struct_fields__:
        changed = structs.replace(header, **{field: getattr(other, field)})
        assert (changed.hash == header.hash) is (changed == header)


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, as it is written there."""
    if not leaves:
        return derived("lucid transaction tree v1", b"")
    if len(leaves) == 1:
        return derived("lucid transaction tree v1", b"\x00" + leaves[0])
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return derived("lucid transaction tree v1", b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:]))


@pytest.mark.slow
@given(transactions=st.lists(values(Transaction), max_size=6))
def test_the_transactions_root_is_an_rfc_9162_tree_over_their_bytes(transactions: list[Transaction]) -> None:
    assert transactions_root(transactions) == naive_root([pack(each) for each in transactions])


def test_the_endorsement_is_in_the_transactions_root() -> None:
    chain = Chain()
    one, two = chain.endorse(chain.anchor(), chain.node(0)), chain.endorse(chain.anchor(), chain.node(1))
    assert one.id == two.id
    assert transactions_root([one]) != transactions_root([two])


@given(votes=st.lists(values(Vote), max_size=3))
def test_late_votes_hash(votes: list[Vote]) -> None:
    assert late_votes_hash(tuple(votes)) == derived("lucid late votes v1", pack(tuple(votes)))


@given(certificate=values(Certificate))
def test_certificate_hash(certificate: Certificate) -> None:
    assert certificate_hash(certificate) == derived("lucid certificate v1", pack(certificate))


def test_no_certificate_hashes_to_zeros() -> None:
    assert certificate_hash(None) == bytes(32)


@pytest.mark.parametrize("nodes", [1, 4])
def test_beacons(nodes: int) -> None:
    genesis = make_genesis(nodes)
    assert genesis_beacon(genesis) == derived("lucid beacon v1", genesis.chain_id)
    beacon, output = digest("beacon"), blake2b(b"output").digest()
    assert next_beacon(beacon, output) == derived("lucid beacon v1", beacon + output)
