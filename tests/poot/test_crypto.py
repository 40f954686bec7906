"""A node's keys: signatures and VRF of one key pair, by the rules of the chain, whatever bytes come from outside."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.chain.ed25519 import ed25519_verify
from lucid.chain.keys import Crypto
from lucid.poot import vrf
from lucid.poot.crypto import Edwards25519
from sim.crypto import ModeledCrypto

CRYPTO: Crypto = Edwards25519()
secrets = st.binary(min_size=32, max_size=32)
texts = st.binary(max_size=40)
SECRET = bytes(range(32))

# RFC 8032, section 7.1, TEST 2, and RFC 9381, appendix B.3, example 17: one key, signed with and proven by.
RFC_SECRET = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
RFC_KEY = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
RFC_SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)
RFC_OUTPUT = bytes.fromhex(
    "eb4440665d3891d668e7e0fcaf587f1b4bd7fbfe99d0eb2211ccec90496310eb"
    "5e33821bc613efb94db5e5b54c70a848a0bef4553a41befc57663b56373a5031"
)


def test_one_key_pair_serves_both_by_their_rfcs() -> None:
    assert CRYPTO.public_key(RFC_SECRET) == RFC_KEY
    assert CRYPTO.sign(RFC_SECRET, b"r") == RFC_SIGNATURE
    assert CRYPTO.verify(RFC_KEY, b"r", RFC_SIGNATURE)
    assert CRYPTO.vrf_verify(RFC_KEY, b"r", CRYPTO.vrf_prove(RFC_SECRET, b"r")) == RFC_OUTPUT


@settings(max_examples=15)
@given(secrets, texts, texts)
def test_a_signature_holds_for_its_key_and_message_alone(secret: bytes, message: bytes, other: bytes) -> None:
    key, signature = CRYPTO.public_key(secret), CRYPTO.sign(secret, message)
    assert ed25519_verify(key, message, signature), "it is the one rule of the chain"
    assert CRYPTO.verify(key, other, signature) is (other == message)
    assert not CRYPTO.verify(CRYPTO.public_key(hashlib.sha256(secret).digest()), message, signature)


@settings(max_examples=8)
@given(secrets, texts)
def test_a_proof_shows_its_output_to_everyone_else(secret: bytes, alpha: bytes) -> None:
    key, proof = CRYPTO.public_key(secret), CRYPTO.vrf_prove(secret, alpha)
    assert CRYPTO.vrf_verify(key, alpha, proof) == vrf.proof_to_hash(proof)
    assert CRYPTO.vrf_verify(key, alpha + b"\0", proof) is None
    assert CRYPTO.vrf_verify(RFC_KEY, alpha, proof) is None


@settings(max_examples=30)
@given(texts, texts, st.binary(max_size=90))
def test_bytes_from_outside_are_refused_and_end_nothing(key: bytes, message: bytes, signature: bytes) -> None:
    for crypto in (CRYPTO, ModeledCrypto()):
        assert crypto.verify(key, message, signature) is False
        assert crypto.vrf_verify(key, message, signature) is None


@pytest.mark.parametrize("secret", [b"", SECRET[:-1], SECRET + b"\0"])
def test_a_secret_of_another_length_is_an_error_of_ours(secret: bytes) -> None:
    for call in (CRYPTO.public_key, lambda key: CRYPTO.sign(key, b"m"), lambda key: CRYPTO.vrf_prove(key, b"m")):
        with pytest.raises(ValueError):
            call(secret)
