"""Signatures in the simulator: the real ones, or a stand-in, either way at a modeled cost in virtual time.

The machines cannot tell: both are `lucid.chain.keys.Crypto`. Results are remembered across the nodes of one process,
because verifying is pure and each signature is verified by every node.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b, sha512
from typing import Literal

from lucid.chain.ed25519 import PUBLIC_KEY_BYTES, SECRET_BYTES

CryptoKind = Literal["real", "modeled"]


class ModeledCrypto:
    """A stand-in without security: a signature is a digest of the key and the message, of the real length."""

    @staticmethod
    @lru_cache(maxsize=4096)
    def public_key(secret: bytes) -> bytes:
        """32 bytes that stand for a public key."""
        if len(secret) != SECRET_BYTES:
            raise ValueError(f"a secret has {SECRET_BYTES} bytes, not {len(secret)}")
        return blake2b(secret, digest_size=32, person=b"lucid sim key").digest()

    def sign(self, secret: bytes, message: bytes) -> bytes:
        """64 bytes that only fit this key and message."""
        return sha512(self.public_key(secret) + message).digest()

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Whether `sign` gave this."""
        return len(public_key) == PUBLIC_KEY_BYTES and sha512(public_key + message).digest() == signature

    def vrf_prove(self, secret: bytes, alpha: bytes) -> bytes:
        """80 bytes that stand for a proof."""
        return self.sign(secret, b"vrf" + alpha) + bytes(16)

    def vrf_verify(self, public_key: bytes, alpha: bytes, proof: bytes) -> bytes | None:
        """The 64-byte output, or None."""
        if len(proof) != 80 or not self.verify(public_key, b"vrf" + alpha, proof[:64]) or proof[64:] != bytes(16):
            return None
        return sha512(proof).digest()
