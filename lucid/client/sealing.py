"""Encryption of chunks: XChaCha20-Poly1305 under a key of the session's own (protocol section 7).

The owner's secret and the session's id give the session's key, so that an owner can open every session with nothing
but the key file, and can show one session to someone by handing over that one's key. A sealed chunk is a nonce of 24
bytes and the ciphertext with its tag; session, place, and whether it is the last are authenticated, so that chunks
cannot be swapped or left off at the end. The nonce is a keyed hash of all of that and the plaintext: sealing the same
again gives the same chunk.

The cipher alone would let an owner make a chunk that opens under two keys to two texts. So the manifest, which the
owner signs once, holds a commitment to the session's key, and no other key is used on its chunks.
"""

from __future__ import annotations

from uuid import UUID

from nacl import bindings
from nacl.exceptions import CryptoError

from lucid.chain.errors import Code, LucidError
from lucid.chain.hashing import domain

NONCE_BYTES = 24
OVERHEAD_BYTES = NONCE_BYTES + 16
"""By how much a sealed chunk is larger than what is in it."""
PLACE_BYTES = 8

_session_key_digest = domain("lucid session key v1")
_commitment_digest = domain("lucid key commitment v1")
_chunk_key_digest = domain("lucid chunk key v2")
_nonce_digest = domain("lucid chunk nonce v2")


class Unsealable(LucidError):
    """A key is not the session's, or a chunk does not open: it is of another session or place."""

    def __init__(self, detail: str) -> None:
        super().__init__(Code.CHUNK_SEALED, detail)


def session_key(secret: bytes, session: UUID) -> bytes:
    """The 32-byte key of a session, from its owner's 32-byte secret."""
    return _session_key_digest(secret + session.bytes)


def key_commitment(key: bytes, session: UUID) -> bytes:
    """The 32 bytes that commit to a session's key and show nothing of it."""
    return _commitment_digest(key + session.bytes)


def check_key(key: bytes, session: UUID, commitment: str | None) -> None:
    """Check a session's key against what the manifest commits to; raises `Unsealable`.

    Manifests of older versions commit to none (None).
    """
    if commitment is not None and key_commitment(key, session).hex() != commitment:
        raise Unsealable("this is not the session's key")


def seal(key: bytes, session: UUID, place: int, data: bytes, last: bool = False) -> bytes:
    """Encrypt a chunk's bytes; the same gives the same."""
    about = _about(session, place, last)
    nonce = _nonce_digest(key + about + data)[:NONCE_BYTES]
    cipher = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        data, about, nonce, _chunk_key_digest(key + about[:16])
    )
    return nonce + cipher


def unseal(key: bytes, session: UUID, place: int, sealed: bytes, last: bool) -> bytes:
    """The bytes that were sealed; raises `Unsealable`."""
    about = _about(session, place, last)
    return _open(sealed, about, _chunk_key_digest(key + session.bytes), place)


def unseal_first(key: bytes, session: UUID, place: int, sealed: bytes) -> bytes:
    """The bytes of a chunk that was sealed as the first version did: by the session's key itself, no chunk marked as
    the last. Raises `Unsealable`."""
    return _open(sealed, session.bytes + place.to_bytes(PLACE_BYTES, "big"), key, place)


def _open(sealed: bytes, about: bytes, key: bytes, place: int) -> bytes:
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed[NONCE_BYTES:], about, sealed[:NONCE_BYTES], key
        )
    except (CryptoError, ValueError, TypeError):
        raise Unsealable(f"chunk {place}: the key is not the session's, or the chunk is another's") from None


def _about(session: UUID, place: int, last: bool) -> bytes:
    return session.bytes + place.to_bytes(PLACE_BYTES, "big") + bytes([last])
