"""Certificates: joining votes, checking a quorum of them, and every way in which one may not hold."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from lucid.chain.certificates import Certificate, assemble, signer_places, verify_certificate, votes_of
from lucid.chain.keys import Crypto
from lucid.chain.validators import ValidatorSet
from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP, vote_message
from lucid.poot.crypto import Edwards25519
from tests.builders import CRYPTO, digest, secret
from tests.messagepack import pack
from tests.strategies import values

CHAIN, BLOCK = digest("chain"), digest("block")


def validator_set(size: int, crypto: Crypto = CRYPTO) -> tuple[ValidatorSet, list[bytes]]:
    """A set and the secrets of its validators in its order."""
    secrets = {crypto.public_key(secret(f"node {n}")): secret(f"node {n}") for n in range(size)}
    validators = ValidatorSet(tuple(secrets))
    return validators, [secrets[key] for key in validators.keys]


VALIDATORS, SECRETS = validator_set(10)


def certify(
    places: Iterable[int],
    kind: int = NOTARIZE,
    block: bytes = BLOCK,
    secrets: list[bytes] = SECRETS,
    crypto: Crypto = CRYPTO,
) -> Certificate:
    message = vote_message(CHAIN, 1, 2, kind, block)
    return assemble(1, 2, kind, block, {place: crypto.sign(secrets[place], message) for place in places}, len(secrets))


def holds(certificate: Certificate, validators: ValidatorSet = VALIDATORS, crypto: Crypto = CRYPTO) -> bool:
    return verify_certificate(certificate, CHAIN, validators, crypto)


@given(places=st.sets(st.integers(0, 9)))
def test_a_certificate_holds_when_a_quorum_signed(places: set[int]) -> None:
    certificate = certify(places)
    assert holds(certificate) is (len(places) >= 7)
    assert list(signer_places(certificate.signers)) == sorted(places)


@given(size=st.integers(1, 40), data=st.data())
def test_the_bitmap(size: int, data: st.DataObject) -> None:
    places = data.draw(st.sets(st.integers(0, size - 1)))
    order = data.draw(st.permutations(sorted(places)))
    certificate = assemble(1, 2, NOTARIZE, BLOCK, {place: bytes([place]) * 64 for place in order}, size)
    assert len(certificate.signers) == -(-size // 8)
    for place in range(len(certificate.signers) * 8):
        assert bool(certificate.signers[place // 8] >> place % 8 & 1) is (place in places)
    assert certificate.signatures == tuple(bytes([place]) * 64 for place in sorted(places))


@pytest.mark.parametrize("size", [1, 7, 8, 9, 16, 17])
@pytest.mark.parametrize(
    ("kind", "block"), [(NOTARIZE, BLOCK), (FINALIZE, BLOCK), (SKIP, b"")], ids=["notarize", "finalize", "skip"]
)
def test_any_size_of_set_and_any_kind(size: int, kind: int, block: bytes) -> None:
    validators, secrets = validator_set(size)
    last = range(size - validators.quorum, size)
    assert holds(certify(last, kind, block, secrets), validators)
    assert not holds(certify(last[1:], kind, block, secrets), validators)


def test_with_real_signatures() -> None:
    crypto = Edwards25519()
    validators, secrets = validator_set(4, crypto)
    certificate = certify([0, 1, 3], secrets=secrets, crypto=crypto)
    assert holds(certificate, validators, crypto)
    flipped = bytes([certificate.signatures[1][0] ^ 1]) + certificate.signatures[1][1:]
    signatures = (certificate.signatures[0], flipped, certificate.signatures[2])
    assert not holds(structs.replace(certificate, signatures=signatures), validators, crypto)


GOOD = certify(range(7))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"epoch": 2}, id="another epoch"),
        pytest.param({"view": 3}, id="another view"),
        pytest.param({"kind": FINALIZE}, id="another kind"),
        pytest.param({"kind": SKIP}, id="a skip that names a block"),
        pytest.param({"block": digest("other")}, id="another block"),
        pytest.param({"block": b""}, id="no block"),
        pytest.param({"signatures": GOOD.signatures[::-1]}, id="signatures in another order"),
        pytest.param({"signatures": GOOD.signatures[:-1]}, id="a signature too few"),
        pytest.param({"signatures": (*GOOD.signatures, bytes(64))}, id="a signature too many"),
        pytest.param({"signatures": (*GOOD.signatures[:-1], bytes(64))}, id="a signature that does not hold"),
        pytest.param({"signers": b"\xff\x00"}, id="a signer too many"),
        pytest.param({"signers": b"\x3f\x00"}, id="a signer too few"),
        pytest.param({"signers": b"\xbf\x00"}, id="another signer"),
        pytest.param({"signers": b"\x7f"}, id="a short bitmap"),
        pytest.param({"signers": b"\x7f\x00\x00"}, id="a long bitmap"),
        pytest.param({"signers": b""}, id="no bitmap"),
        pytest.param({"signers": b"\x3f\x04"}, id="a signer beyond the set"),
    ],
)
def test_what_does_not_hold(changes: dict[str, object]) -> None:
    assert holds(GOOD)
    assert not holds(structs.replace(GOOD, **changes))


def test_the_same_signatures_for_another_chain_or_set_do_not_hold() -> None:
    assert not verify_certificate(GOOD, digest("other chain"), VALIDATORS, CRYPTO)
    others = ValidatorSet(tuple(CRYPTO.public_key(secret(f"other {n}")) for n in range(10)))
    assert not holds(GOOD, others)
    assert not holds(GOOD, validator_set(9)[0])


def test_a_skip_and_a_block_that_is_too_short_do_not_hold_even_signed() -> None:
    assert not holds(certify(range(7), SKIP, BLOCK))
    assert not holds(certify(range(7), NOTARIZE, b""))
    assert not holds(certify(range(7), NOTARIZE, BLOCK[:31]))


@given(certificate=values(Certificate))
def test_checking_never_raises(certificate: Certificate) -> None:
    assert not holds(certificate)


def test_a_certificate_is_its_votes() -> None:
    certificate = certify([1, 3, 4, 5, 6, 7, 8, 9])
    votes = list(votes_of(certificate, VALIDATORS))
    assert [vote.signer for vote in votes] == [VALIDATORS.keys[place] for place in [1, 3, 4, 5, 6, 7, 8, 9]]
    assert {(vote.epoch, vote.view, vote.kind, vote.block) for vote in votes} == {(1, 2, NOTARIZE, BLOCK)}
    message = vote_message(CHAIN, 1, 2, NOTARIZE, BLOCK)
    assert all(CRYPTO.verify(vote.signer, message, vote.signature) for vote in votes)
    signatures = {VALIDATORS.index[vote.signer]: vote.signature for vote in votes}
    assert assemble(1, 2, NOTARIZE, BLOCK, signatures, 10) == certificate


def test_the_hash_is_of_the_whole_certificate() -> None:
    hasher = blake3(derive_key_context="lucid certificate v1")
    hasher.update(pack(GOOD))
    assert GOOD.hash == hasher.digest()
