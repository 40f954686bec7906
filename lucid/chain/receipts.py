"""Receipts: what proves, to someone who trusts no node, that a session was anchored by a time (protocol section 7).

Verifying needs the genesis document and the receipt, and nothing else. Keys of validators that retired long ago could
forge another history; a checkpoint, the hash of a header that the verifier knows to be final, rules that out if the
receipt's headers lead from the transaction's block to it.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import msgspec

from lucid.chain.blocks import Header
from lucid.chain.certificates import Certificate
from lucid.chain.chunks import chunk_id
from lucid.chain.closings import EpochClosing, check_final, follow_closings
from lucid.chain.codec import decode, encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.hashing import transaction_tree_digest
from lucid.chain.keys import Crypto
from lucid.chain.manifests import Manifest, check_manifest
from lucid.chain.merkle import verify_inclusion
from lucid.chain.strictjson import parse_object
from lucid.chain.transactions import SessionAnchor, Transaction, claim_message

VERSION = 1
"""What `lucid_receipt` says (section 7)."""
MAX_RECEIPT_BYTES = 64 << 20
"""Of its JSON (section 7): a manifest of 16 MiB takes twice that in hexadecimal, and half is left for headers, closings
and votes."""


class Receipt(NamedTuple):
    """The transaction, its path to its block's transaction root, and what makes that block final.

    `headers` lead from the block's own to that of the descendant, or itself, which `certificate` makes final;
    `closings` lead there from genesis. `place` and `size` are the transaction's place among so many; what `path` proves
    is only that it is in the block.
    """

    transaction: Transaction
    place: int
    size: int
    path: tuple[bytes, ...]
    headers: tuple[Header, ...]
    certificate: Certificate
    closings: tuple[EpochClosing, ...]
    manifest: bytes = b""
    """The session's manifest, which shows what its chunks are; nothing where the issuer does not have it."""


class Verified(NamedTuple):
    """What a receipt proves: this transaction is in the final block of this height and hash, of this time.

    `manifest` is the session's, in full accord with its anchor; None where the receipt holds none.
    """

    transaction: Transaction
    height: int
    hash: bytes
    time_ms: int
    manifest: Manifest | None


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    """A receipt as JSON; encoded records are hexadecimal."""

    lucid_receipt: int
    chain: str
    session: str
    height: int
    time_ms: int
    transaction: str
    index: int
    size: int
    path: tuple[str, ...]
    headers: tuple[str, ...]
    certificate: str
    closings: tuple[str, ...]
    manifest: str = ""


def print_receipt(receipt: Receipt, genesis: Genesis) -> bytes:
    """The receipt as a JSON document. `session`, `height` and `time_ms` are for people: verifying checks them too."""
    payload = receipt.transaction.payload
    header = receipt.headers[0]
    document = _Document(
        VERSION,
        genesis.chain_id.hex(),
        payload.session.hex() if isinstance(payload, SessionAnchor) else "",
        header.height,
        genesis.tick_ms(header.tick),
        encode(receipt.transaction).hex(),
        receipt.place,
        receipt.size,
        tuple(node.hex() for node in receipt.path),
        tuple(encode(each).hex() for each in receipt.headers),
        encode(receipt.certificate).hex(),
        tuple(encode(each).hex() for each in receipt.closings),
        receipt.manifest.decode(),
    )
    return _print(document)


def _print(document: _Document) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def with_manifest(document: bytes, manifest: bytes) -> bytes:
    """A printed receipt that holds its session's manifest too. Raises `Refusal` if `document` is not a receipt."""
    return _print(msgspec.structs.replace(_decode(document), manifest=manifest.decode()))


def verify_receipt(data: bytes, genesis: Genesis, crypto: Crypto, checkpoint: bytes | None = None) -> Verified:
    """What a receipt proves; raises `Refusal` naming what does not hold.

    `checkpoint` is the hash of a header that the verifier knows to be final. It must be that of the transaction's block
    or one after it, which the headers lead to; `RECEIPT_CHECKPOINT` says that they do not.
    """
    document = _decode(data)
    if document.lucid_receipt != VERSION:
        raise Refusal(Code.RECEIPT_INVALID, f"version {document.lucid_receipt}; this is {VERSION}")
    if document.chain != genesis.chain_id.hex():
        raise Refusal(Code.RECEIPT_INVALID, "it is of another chain")
    try:
        receipt = Receipt(
            transaction=decode(_bytes(document.transaction), Transaction),
            place=document.index,
            size=document.size,
            path=tuple([_bytes(node) for node in document.path]),
            headers=tuple([decode(_bytes(each), Header) for each in document.headers]),
            certificate=decode(_bytes(document.certificate), Certificate),
            closings=tuple([decode(_bytes(each), EpochClosing) for each in document.closings]),
            manifest=document.manifest.encode(),
        )
    except ValueError as error:
        raise Refusal(Code.RECEIPT_INVALID, str(error)) from None
    verified = _verify(receipt, genesis, crypto)
    _check_checkpoint(receipt, checkpoint)
    payload = receipt.transaction.payload
    session = payload.session.hex() if isinstance(payload, SessionAnchor) else ""
    # Read by people, who may look at nothing else: a receipt that lies to them proves nothing.
    if (document.session, document.height, document.time_ms) != (session, verified.height, verified.time_ms):
        raise Refusal(Code.RECEIPT_INVALID, "what it says for people is not what it proves")
    return verified


def verify_session_receipt(
    data: bytes, genesis: Genesis, crypto: Crypto, session: bytes, owner: bytes, checkpoint: bytes | None = None
) -> SessionAnchor:
    """The anchor that a receipt proves of this session of this owner; raises `Refusal`, as `verify_receipt` does."""
    payload = verify_receipt(data, genesis, crypto, checkpoint).transaction.payload
    if not isinstance(payload, SessionAnchor) or payload.session != session:
        raise Refusal(Code.RECEIPT_OTHER, "it is of another session")
    if payload.owner != owner:
        raise Refusal(Code.RECEIPT_OTHER, f"this session's owner is {payload.owner.hex()}, not {owner.hex()}")
    return payload


def check_chunk(verified: Verified, data: bytes, name: str) -> int:
    """The place, from 0, that a stored chunk has in a receipt's session; raises `Refusal` if it has none."""
    if verified.manifest is None:
        raise Refusal(Code.RECEIPT_INVALID, "it holds no manifest, which would show what the chunks are")
    identity = chunk_id(data).hex()
    for chunk in verified.manifest.chunks:
        # The size too: an id does not authenticate how long the bytes are (section 2, Merkle trees).
        if chunk.id == identity and chunk.size == len(data):
            return chunk.index
    raise Refusal(Code.CHUNK_OTHER, name)


def _decode(data: bytes) -> _Document:
    fields = parse_object(data, MAX_RECEIPT_BYTES, Code.RECEIPT_INVALID)
    try:
        return msgspec.convert(fields, _Document)
    except msgspec.ValidationError as error:
        raise Refusal(Code.RECEIPT_INVALID, str(error)) from None


def _bytes(text: str) -> bytes:
    """The bytes of lower-case hexadecimal; raises ValueError for any other text."""
    data = bytes.fromhex(text)
    if data.hex() != text:
        raise ValueError("something in it is no lower-case hexadecimal")
    return data


def _verify(receipt: Receipt, genesis: Genesis, crypto: Crypto) -> Verified:
    headers = receipt.headers
    if not headers:
        raise Refusal(Code.RECEIPT_INVALID, "it has no header")
    leaf = encode(receipt.transaction)
    root = headers[0].transactions_root
    if not verify_inclusion(leaf, receipt.place, receipt.size, receipt.path, root, transaction_tree_digest):
        raise Refusal(Code.RECEIPT_INVALID, "the transaction is not in the block")
    for parent, header in itertools.pairwise(headers):
        # The last header was finalized directly, and finality goes down along parents (section 7).
        if header.parent != parent.hash or header.height != parent.height + 1:
            raise Refusal(Code.RECEIPT_INVALID, "a header does not follow the one before it")
    # From genesis on: a verifier trusts the document alone, and no node (section 7).
    validators = follow_closings(genesis, receipt.closings, crypto)
    check_final(headers[-1], receipt.certificate, len(receipt.closings), validators, genesis.chain_id, crypto)
    manifest = _check_payload(receipt, genesis, crypto)
    return Verified(receipt.transaction, headers[0].height, headers[0].hash, genesis.tick_ms(headers[0].tick), manifest)


def _check_checkpoint(receipt: Receipt, checkpoint: bytes | None) -> None:
    """Only what comes after the transaction vouches for it: who forges a branch passes what lies before."""
    if checkpoint is None or any(header.hash == checkpoint for header in receipt.headers):
        return
    below = [decode(closing.header, Header) for closing in receipt.closings]
    first, last = receipt.headers[0].height, receipt.headers[-1].height
    for header in below:
        if header.hash == checkpoint and header.height < first:
            raise Refusal(Code.RECEIPT_CHECKPOINT, f"it is block {header.height}, before the transaction's, {first}")
    raise Refusal(
        Code.RECEIPT_CHECKPOINT,
        f"its headers are those of blocks {first} to {last}; a node makes one that goes further (?checkpoint=HASH)",
    )


def _check_payload(receipt: Receipt, genesis: Genesis, crypto: Crypto) -> Manifest | None:
    """Check the owner's signature, and that the manifest is the one that was anchored, in all that it says."""
    payload = receipt.transaction.payload
    if not isinstance(payload, SessionAnchor):
        if receipt.manifest:
            raise Refusal(Code.RECEIPT_INVALID, "a manifest, but no session")
        return None
    if not crypto.verify(payload.owner, claim_message(genesis.chain_id, payload), payload.signature):
        raise Refusal(Code.RECEIPT_INVALID, "the owner's signature does not hold")
    if not receipt.manifest:
        return None
    checked = check_manifest(receipt.manifest, genesis.chain_id, crypto)
    # The anchor holds the manifest's hash, but who reads a receipt looks at what both say.
    wrong = [name for name in payload.__struct_fields__ if getattr(payload, name) != getattr(checked.anchor, name)]
    if wrong:
        raise Refusal(Code.RECEIPT_INVALID, f"its manifest is not the one that was anchored: {', '.join(wrong)}")
    return checked.manifest
