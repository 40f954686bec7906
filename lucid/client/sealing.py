"""Encryption of chunks: XChaCha20-Poly1305 under a key of the session's own (protocol section 8).

The owner's secret and the session's id give the session's key, so that an owner can open every session with nothing
but the key file, and can show one session to someone by handing over that one's key. A sealed chunk is a random nonce
of 24 bytes and the ciphertext with its tag; session and place are authenticated, so that chunks can't be swapped.
"""

from __future__ import annotations

import os
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


class Unsealable(LucidError):
    """A chunk does not open: the key is another's, or it is of another session or place."""

    def __init__(self, place: int) -> None:
        super().__init__(Code.CHUNK_CORRUPT, f"chunk {place} does not open with this key")


def session_key(secret: bytes, session: UUID) -> bytes:
    """The 32-byte key of a session, from its owner's 32-byte secret."""
    return _session_key_digest(secret + session.bytes)


def seal(key: bytes, session: UUID, place: int, data: bytes) -> bytes:
    """Encrypt a chunk's bytes."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(data, _about(session, place), nonce, key)


def unseal(key: bytes, session: UUID, place: int, sealed: bytes) -> bytes:
    """The bytes that were sealed; raises `Unsealable`."""
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed[NONCE_BYTES:], _about(session, place), sealed[:NONCE_BYTES], key
        )
    except (CryptoError, ValueError, TypeError):
        raise Unsealable(place) from None


def _about(session: UUID, place: int) -> bytes:
    return session.bytes + place.to_bytes(PLACE_BYTES, "big")
