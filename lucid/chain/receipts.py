"""Receipts: what proves, to someone who trusts no node, that a session was anchored by a time (protocol section 7).

Verifying needs the genesis document and the receipt, and nothing else. Keys of validators that retired long ago could
forge another history; a checkpoint, the hash of one header that the verifier knows to be final, rules that out.
"""

from __future__ import annotations

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
from lucid.chain.manifests import manifest_chunks
from lucid.chain.merkle import verify_inclusion
from lucid.chain.transactions import SessionAnchor, Transaction, claim_message

VERSION = 1
MAX_RECEIPT_BYTES = 64 << 20


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
    """The session's manifest, which shows what its chunks are; nothing where the issuer doesn't have it."""


class Verified(NamedTuple):
    """What a receipt proves: this transaction is in the final block of this height and hash, of this time.

    `chunks` are the session's chunk ids in order; None where the receipt holds no manifest.
    """

    transaction: Transaction
    height: int
    hash: bytes
    time_ms: int
    chunks: tuple[bytes, ...] | None


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
    """A printed receipt that holds its session's manifest too. Raises `Refusal` if `document` is no receipt."""
    return _print(msgspec.structs.replace(_decode(document), manifest=manifest.decode()))


def verify_receipt(data: bytes, genesis: Genesis, crypto: Crypto, checkpoint: bytes | None = None) -> Verified:
    """What a receipt proves; raises `Refusal` naming what does not hold. `checkpoint` is the hash of a header in it."""
    document = _decode(data)
    if document.lucid_receipt != VERSION:
        raise Refusal(Code.RECEIPT_INVALID, f"version {document.lucid_receipt}; this is {VERSION}")
    if document.chain != genesis.chain_id.hex():
        raise Refusal(Code.RECEIPT_INVALID, "it is of another chain")
    try:
        receipt = Receipt(
            decode(bytes.fromhex(document.transaction), Transaction),
            document.index,
            document.size,
            tuple(bytes.fromhex(node) for node in document.path),
            tuple(decode(bytes.fromhex(each), Header) for each in document.headers),
            decode(bytes.fromhex(document.certificate), Certificate),
            tuple(decode(bytes.fromhex(each), EpochClosing) for each in document.closings),
            document.manifest.encode(),
        )
    except ValueError:
        raise Refusal(Code.RECEIPT_INVALID, "something in it is not hexadecimal") from None
    verified = _verify(receipt, genesis, crypto, checkpoint)
    if msgspec.json.decode(print_receipt(receipt, genesis), type=_Document) != document:
        raise Refusal(Code.RECEIPT_INVALID, "what it says for people is not what it proves")
    return verified


def check_chunk(verified: Verified, data: bytes, name: str) -> int:
    """The place, from 0, that a stored chunk has in a receipt's session; raises `Refusal` if it has none."""
    if verified.chunks is None:
        raise Refusal(Code.RECEIPT_INVALID, "it holds no manifest, which would show what the chunks are")
    identity = chunk_id(data)
    if identity not in verified.chunks:
        raise Refusal(Code.CHUNK_ID, f"{name} is no chunk of this session")
    return verified.chunks.index(identity)


def _decode(data: bytes) -> _Document:
    if len(data) > MAX_RECEIPT_BYTES:
        raise Refusal(Code.RECEIPT_INVALID, f"{len(data)} bytes")
    try:
        return msgspec.json.decode(data, type=_Document)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Refusal(Code.RECEIPT_INVALID, str(error)) from None


def _verify(receipt: Receipt, genesis: Genesis, crypto: Crypto, checkpoint: bytes | None) -> Verified:
    headers = receipt.headers
    if not headers:
        raise Refusal(Code.RECEIPT_INVALID, "it has no header")
    leaf = encode(receipt.transaction)
    root = headers[0].transactions_root
    if not verify_inclusion(leaf, receipt.place, receipt.size, receipt.path, root, transaction_tree_digest):
        raise Refusal(Code.RECEIPT_INVALID, "the transaction is not in the block")
    hashes = [header.hash for header in headers]
    for parent, header in zip(hashes, headers[1:], strict=False):
        if header.parent != parent:
            raise Refusal(Code.RECEIPT_INVALID, "a header does not follow the one before it")
    validators = follow_closings(genesis, receipt.closings, crypto)
    check_final(headers[-1], receipt.certificate, len(receipt.closings), validators, genesis.chain_id, crypto)
    known = [*hashes, *(decode(closing.header, Header).hash for closing in receipt.closings)]
    if checkpoint is not None and checkpoint not in known:
        raise Refusal(Code.RECEIPT_INVALID, "it does not pass through the checkpoint")
    chunks = _check_payload(receipt, genesis, crypto)
    return Verified(receipt.transaction, headers[0].height, hashes[0], genesis.tick_ms(headers[0].tick), chunks)


def _check_payload(receipt: Receipt, genesis: Genesis, crypto: Crypto) -> tuple[bytes, ...] | None:
    """Check the owner's signature and the manifest; returns its chunk ids."""
    payload = receipt.transaction.payload
    if not isinstance(payload, SessionAnchor):
        if receipt.manifest:
            raise Refusal(Code.RECEIPT_INVALID, "a manifest, but no session")
        return None
    if not crypto.verify(payload.owner, claim_message(genesis.chain_id, payload), payload.signature):
        raise Refusal(Code.RECEIPT_INVALID, "the owner's signature does not hold")
    return manifest_chunks(receipt.manifest, payload.manifest) if receipt.manifest else None
