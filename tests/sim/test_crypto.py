"""The stand-in for signatures keeps the same promises as the real ones: every test here runs on both, and metered."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim.meteredcrypto
from lucid.chain.keys import Crypto
from lucid.poot.crypto import Edwards25519
from sim.cpus import CPUS
from sim.crypto import ModeledCrypto
from sim.meteredcrypto import MeteredCrypto

PI = CPUS["pi4"]

ALL: dict[str, Crypto] = {
    "real": Edwards25519(),
    "modeled": ModeledCrypto(),
    "metered real": MeteredCrypto("real", PI),
    "metered modeled": MeteredCrypto("modeled", PI),
}

each_crypto = pytest.mark.parametrize("crypto", ALL.values(), ids=ALL.keys())
secrets = st.binary(min_size=32, max_size=32)
messages = st.binary(max_size=80)
few = settings(max_examples=25)


@each_crypto
@few
@given(secret=secrets, message=messages)
def test_a_signature_holds_has_64_bytes_and_is_always_the_same(crypto: Crypto, secret: bytes, message: bytes) -> None:
    key, signature = crypto.public_key(secret), crypto.sign(secret, message)
    assert (len(key), len(signature)) == (32, 64)
    assert (crypto.public_key(secret), crypto.sign(secret, message)) == (key, signature)
    assert crypto.verify(key, message, signature)


@each_crypto
@few
@given(secret=secrets, other=secrets, message=messages, data=st.data())
def test_a_signature_holds_for_nothing_else(
    crypto: Crypto, secret: bytes, other: bytes, message: bytes, data: st.DataObject
) -> None:
    key, signature = crypto.public_key(secret), crypto.sign(secret, message)
    bit = data.draw(st.integers(0, 511))
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not crypto.verify(key, message, bytes(flipped))
    assert not crypto.verify(key, message + b"x", signature)
    assert not crypto.verify(key, b"x" + message, signature)
    if other != secret:
        assert not crypto.verify(crypto.public_key(other), message, signature)


@each_crypto
@given(key=st.binary(max_size=70), message=messages, signature=st.binary(max_size=100))
def test_verifying_takes_any_bytes_and_refuses_them(
    crypto: Crypto, key: bytes, message: bytes, signature: bytes
) -> None:
    assert not crypto.verify(key, message, signature)
    assert crypto.vrf_verify(key, message, signature) is None


@each_crypto
def test_bytes_do_not_move_between_key_message_and_signature(crypto: Crypto) -> None:
    key, signature = crypto.public_key(bytes(32)), crypto.sign(bytes(32), b"message")
    assert not crypto.verify(key[:31], key[31:] + b"message", signature)
    assert not crypto.verify(key + b"m", b"essage", signature)
    assert not crypto.verify(key, b"message" + signature[:1], signature[1:])


@each_crypto
@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_secret_of_another_length_is_an_error(crypto: Crypto, size: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        crypto.public_key(bytes(size))
    with pytest.raises(ValueError, match=r"."):
        crypto.sign(bytes(size), b"")
    with pytest.raises(ValueError, match=r"."):
        crypto.vrf_prove(bytes(size), b"")


@each_crypto
@few
@given(secret=secrets, alpha=messages)
def test_a_vrf_proof_has_80_bytes_and_shows_one_output(crypto: Crypto, secret: bytes, alpha: bytes) -> None:
    key, proof = crypto.public_key(secret), crypto.vrf_prove(secret, alpha)
    output = crypto.vrf_verify(key, alpha, proof)
    assert output is not None
    assert (len(proof), len(output)) == (80, 64)
    assert crypto.vrf_prove(secret, alpha) == proof
    other = crypto.vrf_verify(key, alpha + b"x", crypto.vrf_prove(secret, alpha + b"x"))
    assert other is not None and other != output


@each_crypto
@few
@given(secret=secrets, alpha=messages, bit=st.integers(0, 639))
def test_a_changed_vrf_proof_shows_nothing(crypto: Crypto, secret: bytes, alpha: bytes, bit: int) -> None:
    key, proof = crypto.public_key(secret), crypto.vrf_prove(secret, alpha)
    flipped = bytearray(proof)
    flipped[bit // 8] ^= 1 << bit % 8
    for wrong in (bytes(flipped), proof[:-1], proof + b"x"):
        assert crypto.vrf_verify(key, alpha, wrong) is None
    assert crypto.vrf_verify(key, alpha + b"x", proof) is None
    assert crypto.vrf_verify(crypto.public_key(bytes(31) + b"\x01"), alpha, proof) is None


@pytest.mark.parametrize("kind", ["real", "modeled"])
def test_the_meter_agrees_with_what_it_meters(kind: sim.crypto.CryptoKind) -> None:
    metered, plain = MeteredCrypto(kind, PI), ALL[kind]
    secret = b"s" * 32
    assert metered.public_key(secret) == plain.public_key(secret)
    assert metered.sign(secret, b"m") == plain.sign(secret, b"m")
    assert metered.vrf_prove(secret, b"a") == plain.vrf_prove(secret, b"a")
    key, proof = plain.public_key(secret), plain.vrf_prove(secret, b"a")
    assert metered.vrf_verify(key, b"a", proof) == plain.vrf_verify(key, b"a", proof)


def test_the_meter_counts_every_operation_also_those_that_it_remembers() -> None:
    metered = MeteredCrypto("modeled", PI)
    secret = bytes(32)
    key = metered.public_key(secret)
    assert metered.spent_us == 0
    signature = metered.sign(secret, b"m")
    assert metered.spent_us == PI.sign_us
    for _ in range(2):
        metered.verify(key, b"m", signature)
    metered.verify(key, b"m", bytes(64))
    assert metered.spent_us == PI.sign_us + 3 * PI.verify_us
    metered.spent_us = 0
    proof = metered.vrf_prove(secret, b"a")
    metered.vrf_verify(key, b"a", proof)
    metered.vrf_verify(key, b"a", proof)
    assert metered.spent_us == PI.prove_us + 2 * PI.vrf_verify_us


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.booleans()), max_size=60))
def test_what_is_remembered_and_forgotten_changes_no_answer(questions: list[tuple[int, int, bool]]) -> None:
    plain = ModeledCrypto()
    metered = MeteredCrypto("modeled", PI)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sim.meteredcrypto, "REMEMBERED", 2)
        for who, what, honest in questions:
            secret, message = bytes([who]) * 32, bytes([what])
            key = plain.public_key(secret)
            signature = plain.sign(secret, message) if honest else bytes([what]) * 64
            proof = plain.vrf_prove(secret, message) if honest else bytes([what]) * 80
            assert metered.verify(key, message, signature) is honest
            assert metered.vrf_verify(key, message, proof) == plain.vrf_verify(key, message, proof)
            assert len(metered._valid) <= 2 and len(metered._older) <= 2 and len(metered._outputs) <= 3
