"""How validator sets follow each other: the closing of each epoch, verified from genesis on (protocol section 4)."""

from __future__ import annotations

from collections.abc import Sequence

from lucid.chain.blocks import Header
from lucid.chain.certificates import Certificate, verify_certificate
from lucid.chain.codec import Record, decode
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.keys import Crypto
from lucid.chain.validators import ValidatorSet
from lucid.chain.votes import FINALIZE, Hash


class EpochClosing(Record):
    """How an epoch ended: its closing block's header and finality certificate, and the validators it hands over to."""

    header: bytes
    certificate: Certificate
    validators: tuple[Hash, ...]


def follow_closings(genesis: Genesis, closings: Sequence[EpochClosing], crypto: Crypto) -> ValidatorSet:
    """The validators after these closings, one an epoch from the first on; raises `FINALITY_INVALID`."""
    validators = ValidatorSet(tuple([node.key for node in genesis.nodes]))
    chain_id = genesis.chain_id
    for epoch, closing in enumerate(closings):
        header = decode(closing.header, Header)
        # Only a closing block hands over: any other header names the set that would follow as things stood, which may
        # change.
        if header.view < genesis.parameters.epoch_views:
            raise Refusal(Code.FINALITY_INVALID, f"epoch {epoch} is not closed")
        check_final(header, closing.certificate, epoch, validators, chain_id, crypto)
        keys = closing.validators
        # The header commits to the next set by its hash, which the epoch's own validators made final.
        if not keys or len(set(keys)) != len(keys) or ValidatorSet(keys).hash != header.next_validators:
            raise Refusal(Code.FINALITY_INVALID, f"validators after epoch {epoch}")
        validators = ValidatorSet(keys)
    return validators


def check_final(
    header: Header, certificate: Certificate, epoch: int, validators: ValidatorSet, chain_id: bytes, crypto: Crypto
) -> None:
    """Check that a certificate of these validators makes the block of a header final; raises `FINALITY_INVALID`."""
    if (
        header.chain != chain_id
        or (header.epoch, certificate.epoch) != (epoch, epoch)
        or certificate.kind != FINALIZE
        or certificate.block != header.hash
        or header.validators != validators.hash
        or not verify_certificate(certificate, chain_id, validators, crypto)
    ):
        raise Refusal(Code.FINALITY_INVALID, f"finality in epoch {epoch}")
