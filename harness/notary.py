"""A network whose secrets the test holds: it certifies whatever header it is told to, also what no honest one would."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from lucid.chain.blocks import Header, late_votes_hash, transactions_root
from lucid.chain.certificates import Certificate, assemble
from lucid.chain.chunks import chunk_id
from lucid.chain.closings import EpochClosing
from lucid.chain.codec import encode
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.chain.hashing import transaction_tree_digest
from lucid.chain.manifests import check_manifest, sign_manifest
from lucid.chain.merkle import inclusion_proof
from lucid.chain.parameters import Parameters
from lucid.chain.receipts import Receipt
from lucid.chain.transactions import SessionAnchor, Transaction
from lucid.chain.validators import ValidatorSet
from lucid.chain.votes import FINALIZE, vote_message
from lucid.poot.crypto import Edwards25519

CRYPTO = Edwards25519()
OWNER = b"owner".ljust(32)
SESSION = UUID("00000000-0000-4000-8000-000000000001")
CHUNKS = (b"one" * 500, b"two" * 600, b"three" * 700)


class Notary:
    """Four validators, in epochs of one slot, and another four that may follow them."""

    def __init__(self) -> None:
        self.secrets = {CRYPTO.public_key(secret): secret for secret in (bytes([n + 1]) * 32 for n in range(8))}
        keys = tuple(self.secrets)
        self.first, self.second = ValidatorSet(keys[:4]), ValidatorSet(keys[4:])
        self.genesis = Genesis(
            1_700_000_000_000,
            tuple(GenesisNode(key, f"node {n}") for n, key in enumerate(keys[:4])),
            parameters=Parameters(epoch_slots=1),
        ).check()
        self.closing_view = self.genesis.parameters.epoch_views

    def header(self, height: int, parent: bytes, transactions: tuple[Transaction, ...] = (), **changes: Any) -> Header:
        """A header of epoch 0 and the first validators, but for `changes`."""
        fields: dict[str, Any] = {
            "version": 1,
            "chain": self.genesis.chain_id,
            "height": height,
            "epoch": 0,
            "view": height,
            "tick": height + 5,
            "parent": parent,
            "transactions_root": transactions_root(transactions),
            "state_root": bytes(32),
            "entity": b"entity",
            "proposer": self.first.keys[0],
            "vrf_proof": bytes(80),
            "beacon": bytes(32),
            "validators": self.first.hash,
            "next_validators": self.first.hash,
            "parent_certificate": bytes(32),
            "late_votes": late_votes_hash(()),
        }
        return Header(**fields | changes)

    def certify(self, header: Header, validators: ValidatorSet | None = None, kind: int = FINALIZE) -> Certificate:
        """The certificate of a header by three of four validators."""
        signers = validators or self.first
        message = vote_message(self.genesis.chain_id, header.epoch, header.view, kind, header.hash)
        signatures = {n: CRYPTO.sign(self.secrets[key], message) for n, key in enumerate(signers.keys[:3])}
        return assemble(header.epoch, header.view, kind, header.hash, signatures, len(signers))

    def close(self, header: Header, following: ValidatorSet, validators: ValidatorSet | None = None) -> EpochClosing:
        """The closing that a header makes."""
        return EpochClosing(encode(header), self.certify(header, validators), following.keys)

    def manifest(self, secret: bytes = OWNER, **changes: Any) -> bytes:
        """The signed manifest of the session."""
        fields: dict[str, Any] = {
            "session": str(SESSION),
            "started_ms": 5,
            "ended_ms": 9,
            "chunks": [{"index": n, "size": len(data), "id": chunk_id(data).hex()} for n, data in enumerate(CHUNKS)],
            "codec": "test",
        }
        return sign_manifest(fields | changes, secret, self.genesis.chain_id, CRYPTO)

    def transaction(self, anchor: SessionAnchor) -> Transaction:
        """An anchor as it stands in a block."""
        return Transaction(anchor, self.first.keys[0], 700, bytes(64))

    def receipt(self, transaction: Transaction | None = None, manifest: bytes | None = None) -> Receipt:
        """An honest receipt of block 1 of three, of which the third was finalized directly."""
        held = self.manifest() if manifest is None else manifest
        if transaction is None:
            transaction = self.transaction(check_manifest(held, self.genesis.chain_id, CRYPTO).anchor)
        others = tuple(Transaction(transaction.payload, key, 9, bytes(64)) for key in self.first.keys)
        held_in = (others[0], transaction, *others[1:])
        one = self.header(1, self.genesis.chain_id, held_in)
        two = self.header(2, one.hash)
        three = self.header(3, two.hash)
        path = inclusion_proof([encode(each) for each in held_in], 1, transaction_tree_digest)
        return Receipt(
            transaction=transaction,
            place=1,
            size=5,
            path=path,
            headers=(one, two, three),
            certificate=self.certify(three),
            closings=(),
            manifest=held,
        )

    def later_receipt(self) -> Receipt:
        """An honest receipt of epoch 2, whose validators are others than genesis has."""
        manifest = self.manifest()
        transaction = self.transaction(check_manifest(manifest, self.genesis.chain_id, CRYPTO).anchor)
        both: dict[str, Any] = {"validators": self.second.hash, "next_validators": self.second.hash}
        view = self.closing_view
        closing = self.header(1, self.genesis.chain_id, view=view, next_validators=self.second.hash)
        again = self.header(2, closing.hash, view=view, epoch=1, **both)
        block = self.header(3, again.hash, (transaction,), view=1, epoch=2, **both)
        child = self.header(4, block.hash, view=2, epoch=2, **both)
        closings = (self.close(closing, self.second), self.close(again, self.second, self.second))
        return Receipt(
            transaction=transaction,
            place=0,
            size=1,
            path=(),
            headers=(block, child),
            certificate=self.certify(child, self.second),
            closings=closings,
            manifest=manifest,
        )
