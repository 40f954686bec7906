"""Transport keys and their certificates: a certificate holds as its node signed it, and in no other way."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.chain.codec import decode, encode
from lucid.chain.ed25519 import SECRET_BYTES
from lucid.services.peer.transport import TransportCertificate, certify, holds, new_transport_key
from tests.services.peer.acquainted import CHAIN, CRYPTO, KEYS, SECRETS

GIVEN = certify(CRYPTO, SECRETS[0], CHAIN, KEYS[2], 7)


def test_a_certificate_holds_also_after_its_way() -> None:
    assert holds(CRYPTO, GIVEN)
    assert (GIVEN.chain, GIVEN.node, GIVEN.transport, GIVEN.sequence) == (CHAIN, KEYS[0], KEYS[2], 7)
    assert holds(CRYPTO, decode(encode(GIVEN), TransportCertificate))


@pytest.mark.parametrize(
    "changed",
    [
        {"chain": b"\1" + CHAIN[1:]},
        {"node": KEYS[1]},
        {"transport": KEYS[1]},
        {"sequence": 8},
        {"signature": bytes(64)},
        {"signature": GIVEN.signature[:-1] + bytes([GIVEN.signature[-1] ^ 1])},
        {"signature": certify(CRYPTO, SECRETS[1], CHAIN, KEYS[2], 7).signature},
    ],
)
def test_none_that_was_changed_holds(changed: dict[str, object]) -> None:
    assert not holds(CRYPTO, msgspec.structs.replace(GIVEN, **changed))


def test_a_signature_of_something_else_is_no_certificate() -> None:
    """The digest has a domain of its own: what a node signs elsewhere cannot vouch for a key."""
    plain = encode((GIVEN.chain, GIVEN.node, GIVEN.transport, GIVEN.sequence))
    assert not holds(CRYPTO, msgspec.structs.replace(GIVEN, signature=CRYPTO.sign(SECRETS[0], plain)))


@settings(max_examples=20)
@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**53))
def test_whatever_a_node_certifies_holds_and_for_it_alone(chain: bytes, sequence: int) -> None:
    one = certify(CRYPTO, SECRETS[0], chain, KEYS[2], sequence)
    other = certify(CRYPTO, SECRETS[1], chain, KEYS[2], sequence)
    assert holds(CRYPTO, one) and holds(CRYPTO, other)
    assert not holds(CRYPTO, msgspec.structs.replace(one, node=other.node))


def test_keys_are_made_anew_each_time() -> None:
    made = {new_transport_key() for _ in range(100)}
    assert len(made) == 100 and {len(each) for each in made} == {SECRET_BYTES}
