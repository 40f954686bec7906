"""Quorum certificates: a bitmap of signers and their signatures over one vote (protocol section 4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lucid.chain.codec import Record, encode
from lucid.chain.fields import Natural
from lucid.chain.hashing import certificate_digest
from lucid.chain.keys import Crypto
from lucid.chain.validators import ValidatorSet
from lucid.chain.votes import SKIP, OptionalHash, Signature, Vote, VoteKind, vote_message


class Certificate(Record):
    """A quorum's signatures over (epoch, view, kind, block).

    `signers` is a bitmap, bit i % 8 of byte i // 8 for the validator of index i; `signatures` follow that order.
    """

    epoch: Natural
    view: Natural
    kind: VoteKind
    block: OptionalHash
    signers: bytes
    signatures: tuple[Signature, ...]

    @property
    def hash(self) -> bytes:
        """What a header commits to."""
        return certificate_digest(encode(self))


def assemble(epoch: int, view: int, kind: int, block: bytes, signatures: Mapping[int, bytes], size: int) -> Certificate:
    """Make a certificate from verified signatures by validator index in a set of `size`."""
    bitmap = bytearray((size + 7) // 8)
    places = sorted(signatures)
    for place in places:
        bitmap[place >> 3] |= 1 << (place & 7)
    return Certificate(epoch, view, kind, block, bytes(bitmap), tuple([signatures[place] for place in places]))


def signer_places(bitmap: bytes) -> Iterator[int]:
    """Indexes of the bits that are set, ascending."""
    bits = int.from_bytes(bitmap, "little")
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low


def verify_certificate(certificate: Certificate, chain_id: bytes, validators: ValidatorSet, crypto: Crypto) -> bool:
    """Whether a quorum of `validators` signed the certificate's statement; never raises."""
    bits = int.from_bytes(certificate.signers, "little")
    count = bits.bit_count()
    if (
        # One encoding for one set of signers, so a certificate's hash follows from who signed (section 4).
        len(certificate.signers) != (len(validators) + 7) // 8
        or bits.bit_length() > len(validators)
        or count != len(certificate.signatures)
        or count < validators.quorum
        or len(certificate.block) != (0 if certificate.kind == SKIP else 32)
    ):
        return False
    # One message for all: the votes of a certificate differ in nothing but key and signature.
    message = vote_message(chain_id, certificate.epoch, certificate.view, certificate.kind, certificate.block)
    verify, keys = crypto.verify, validators.keys
    return all(
        verify(keys[place], message, signature)
        for place, signature in zip(signer_places(certificate.signers), certificate.signatures, strict=True)
    )


def votes_of(certificate: Certificate, validators: ValidatorSet) -> Iterator[Vote]:
    """The single votes that a certificate joins."""
    for place, signature in zip(signer_places(certificate.signers), certificate.signatures, strict=True):
        yield Vote(
            certificate.epoch, certificate.view, certificate.kind, certificate.block, validators.keys[place], signature
        )
