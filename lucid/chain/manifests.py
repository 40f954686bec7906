"""Manifests: what a recorded session consists of, as JSON, and the anchor that its owner signs (protocol section 7).

The manifest's hash is over its canonical form (RFC 8785) without the signature; the signature is the one of the anchor
on the chain, which holds that hash, so that one signature covers both. Fields that are not known here are kept and
hashed. Numbers are whole and within 2^53 - 1, as their form would otherwise differ between languages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import msgspec
import rfc8785
from msgspec import Meta

from lucid.chain.chunks import MAX_CHUNK_BYTES, MIN_CHUNK_BYTES, chunk_id, session_root
from lucid.chain.errors import Code, Refusal
from lucid.chain.hashing import manifest_digest
from lucid.chain.keys import Crypto
from lucid.chain.strictjson import MAX_WHOLE, parse_object
from lucid.chain.transactions import MAX_CHUNKS, SessionAnchor, claim_message

VERSION = 1
"""What `lucid_manifest` says (section 7)."""
MAX_MANIFEST_BYTES = 16 << 20
"""Of its JSON (section 7): room for some 150,000 chunks, whose entries have some 110 bytes each."""
MAX_KEYS = 1_000
"""Of participants, and of observers. Chosen: a key has 67 bytes of JSON, so both lists have 131 KiB at most. At half, a
lecture may have more; at double, nothing breaks."""

Hex32 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Hex64 = Annotated[str, Meta(pattern="^[0-9a-f]{128}$")]
Uuid4 = Annotated[str, Meta(pattern="^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")]
Whole = Annotated[int, Meta(ge=0, le=MAX_WHOLE)]
"""From 0 on, as far as every reader of JSON keeps it exactly (section 7)."""
Text = Annotated[str, Meta(max_length=1_000)]
"""Of what a recorder says of itself in one field. Chosen: at half, a list of codecs with their settings may be cut off;
at double, nothing breaks."""
Keys = Annotated[tuple[Hex32, ...], Meta(max_length=MAX_KEYS)]


class ChunkEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One chunk of a session: its place from 0, its size in bytes, its id."""

    index: Whole
    size: Annotated[int, Meta(ge=MIN_CHUNK_BYTES, le=MAX_CHUNK_BYTES)]
    id: Hex32


class NamedRelay(msgspec.Struct, frozen=True):
    """The node that a session was handed to, and the owner's signature of the `relay_mandate` that says so."""

    node: Hex32
    signature: Hex64


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A session as its recorder describes it. Keys, hashes and ids in lower-case hexadecimal, times in ms since the
    Unix epoch; `owner` is the key that signs. `key_commitment` commits to the key that opens the chunks."""

    lucid_manifest: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    session: Uuid4
    owner: Hex32
    participants: Keys = ()
    observers: Keys = ()
    codec: Text = ""
    recorder_version: Text = ""
    device_fingerprint: Text = ""
    started_ms: Whole
    ended_ms: Whole
    chunks: Annotated[tuple[ChunkEntry, ...], Meta(min_length=1, max_length=MAX_CHUNKS)]
    chunk_count: Whole
    total_bytes: Whole
    merkle_root: Hex32
    policy: Hex32 | None = None
    key_commitment: Hex32 | None = None
    relay: NamedRelay | None = None
    signature: Hex64


class CheckedManifest(NamedTuple):
    """A manifest that holds: its content, its canonical bytes (signature included), and the anchor for the chain."""

    manifest: Manifest
    canonical: bytes
    anchor: SessionAnchor


def check_manifest(data: bytes, chain_id: bytes, crypto: Crypto) -> CheckedManifest:
    """Check all of a manifest that can be checked; raises `Refusal` (6001 to 6004) naming what does not hold."""
    fields = _fields(data)
    try:
        manifest = msgspec.convert(fields, Manifest)
    except msgspec.ValidationError as error:
        raise Refusal(Code.MANIFEST, str(error)) from None
    # What costs no signature comes first, the hash of the whole after that.
    _check_chunks(manifest)
    if manifest.ended_ms < manifest.started_ms:
        raise Refusal(Code.MANIFEST, "it ended before it started")
    anchor = _anchor(manifest, _hash(fields))
    # The anchor's signature, which covers the manifest by its hash: one signature for both (section 7).
    if not crypto.verify(anchor.owner, claim_message(chain_id, anchor), anchor.signature):
        raise Refusal(Code.MANIFEST_SIGNATURE)
    return CheckedManifest(manifest, rfc8785.dumps(fields), anchor)


def example_manifest(chain_id: bytes, crypto: Crypto) -> bytes:
    """A manifest of one chunk that a chain takes, for documents: anybody knows its owner's key."""
    fields = {
        "session": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "codec": "opus",
        "started_ms": 1_790_000_000_000,
        "ended_ms": 1_790_000_060_000,
        "chunks": [{"index": 0, "size": 4_096, "id": chunk_id(bytes(4_096)).hex()}],
    }
    return sign_manifest(fields, bytes(32), chain_id, crypto)


def sign_manifest(fields: dict[str, Any], secret: bytes, chain_id: bytes, crypto: Crypto) -> bytes:
    """The canonical bytes of a manifest made of `fields`, which lack owner, counts, root and signature.

    Raises `Refusal` where `check_manifest` would.
    """
    chunks: Sequence[dict[str, Any]] = fields["chunks"]
    made = {
        **fields,
        "lucid_manifest": VERSION,
        "owner": crypto.public_key(secret).hex(),
        "chunk_count": len(chunks),
        "total_bytes": sum(chunk["size"] for chunk in chunks),
        "merkle_root": session_root([bytes.fromhex(chunk["id"]) for chunk in chunks]).hex(),
        "signature": "00" * 64,
    }
    anchor = _anchor(msgspec.convert(made, Manifest), _hash(made))
    made["signature"] = crypto.sign(secret, claim_message(chain_id, anchor)).hex()
    return check_manifest(rfc8785.dumps(made), chain_id, crypto).canonical


def _check_chunks(manifest: Manifest) -> None:
    if manifest.chunk_count != len(manifest.chunks):
        raise Refusal(Code.MANIFEST_CHUNKS, f"chunk_count is {manifest.chunk_count}, there are {len(manifest.chunks)}")
    for place, chunk in enumerate(manifest.chunks):
        # The root is over ids in order: entries out of order would mean another session (section 7).
        if chunk.index != place:
            raise Refusal(Code.MANIFEST_CHUNKS, f"chunk {place} says that it is chunk {chunk.index}")
    if manifest.total_bytes != sum(chunk.size for chunk in manifest.chunks):
        raise Refusal(Code.MANIFEST_CHUNKS, "total_bytes is not the sum of the sizes")
    if manifest.merkle_root != session_root([bytes.fromhex(chunk.id) for chunk in manifest.chunks]).hex():
        raise Refusal(Code.MANIFEST_ROOT)


def _anchor(manifest: Manifest, hash_: bytes) -> SessionAnchor:
    return SessionAnchor(
        session=bytes.fromhex(manifest.session.replace("-", "")),
        owner=bytes.fromhex(manifest.owner),
        started_ms=manifest.started_ms,
        ended_ms=manifest.ended_ms,
        manifest=hash_,
        root=bytes.fromhex(manifest.merkle_root),
        chunks=manifest.chunk_count,
        total_bytes=manifest.total_bytes,
        policy=bytes.fromhex(manifest.policy or ""),
        signature=bytes.fromhex(manifest.signature),
    )


def _hash(fields: dict[str, Any]) -> bytes:
    return manifest_digest(rfc8785.dumps({key: value for key, value in fields.items() if key != "signature"}))


def _fields(data: bytes) -> dict[str, Any]:
    """The JSON object that `data` is, read strictly and such that it has a canonical form."""
    fields = parse_object(data, MAX_MANIFEST_BYTES, Code.MANIFEST)
    try:
        rfc8785.dumps(fields)
    except ValueError as error:
        raise Refusal(Code.MANIFEST, str(error)) from None
    return fields
