"""Blocks and headers, and the hashes between them (protocol section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated

from msgspec import Meta

from lucid.chain.certificates import Certificate
from lucid.chain.codec import HashedRecord, encode
from lucid.chain.fields import Key, Natural
from lucid.chain.genesis import Genesis
from lucid.chain.hashing import (
    ZERO_DIGEST,
    beacon_digest,
    block_digest,
    late_votes_digest,
    transaction_tree_digest,
)
from lucid.chain.merkle import root
from lucid.chain.transactions import Transaction
from lucid.chain.votes import Hash, Signature, Vote

VERSION = 2
"""Of a header (section 6). Version 1 keyed sessions by their id alone, and a key could be registered that had not
signed."""
PROOF_BYTES = 80
"""Of a VRF proof: a point of 32 bytes, a challenge of 16 and a scalar of 32 (RFC 9381, 5.4.4)."""


class Header(HashedRecord):
    """What the proposer signs. `entity` is the pool or node that leads, `proposer` the key that signs for it."""

    version: Natural
    chain: Hash
    height: Natural
    epoch: Natural
    view: Natural
    tick: Natural
    parent: Hash
    transactions_root: Hash
    state_root: Hash
    entity: bytes
    proposer: Key
    vrf_proof: Annotated[bytes, Meta(min_length=PROOF_BYTES, max_length=PROOF_BYTES)]
    beacon: Hash
    validators: Hash
    next_validators: Hash
    parent_certificate: Hash
    late_votes: Hash

    @cached_property
    def hash(self) -> bytes:
        """The block hash: 32 bytes."""
        # Without the signature beside it: two signatures of one header are one block (section 2).
        return block_digest(encode(self))


class Block(HashedRecord):
    """A header, its proposer's signature and the body that the header commits to.

    `parent_certificate` is None only in a block on genesis.
    """

    header: Header
    signature: Signature
    parent_certificate: Certificate | None
    late_votes: tuple[Vote, ...]
    transactions: tuple[Transaction, ...]

    @cached_property
    def matches_header(self) -> bool:
        """Whether the header commits to this body: to all but the signature beside it."""
        header = self.header
        return (header.parent_certificate, header.late_votes, header.transactions_root) == (
            certificate_hash(self.parent_certificate),
            late_votes_hash(self.late_votes),
            transactions_root(self.transactions),
        )


def transactions_root(transactions: Sequence[Transaction]) -> bytes:
    """Merkle root over the encoded transactions in order."""
    return root([encode(transaction) for transaction in transactions], transaction_tree_digest)


def late_votes_hash(votes: tuple[Vote, ...]) -> bytes:
    """What a header commits to for the late votes that its body credits."""
    return late_votes_digest(encode(votes))


def certificate_hash(certificate: Certificate | None) -> bytes:
    """What a header commits to for its parent certificate; zeros on genesis."""
    return ZERO_DIGEST if certificate is None else certificate.hash


def next_beacon(beacon: bytes, output: bytes) -> bytes:
    """Fold a leader's VRF output (64 bytes) into the parent's beacon."""
    # One output a block over the parent's beacon and nothing else, so that a leader has one bit of choice (section 4).
    return beacon_digest(beacon + output)


def genesis_beacon(genesis: Genesis) -> bytes:
    """The beacon of view 0 of epoch 0."""
    return beacon_digest(genesis.chain_id)
