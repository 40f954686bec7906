"""The key operations of a real node: Ed25519 signatures and the ECVRF on edwards25519."""

from __future__ import annotations

from lucid.chain.ed25519 import ed25519_public_key, ed25519_sign, ed25519_verify
from lucid.poot import vrf


class Edwards25519:
    """`lucid.chain.keys.Crypto` for real; one key pair serves both the signatures and the VRF."""

    def public_key(self, secret: bytes) -> bytes:
        return ed25519_public_key(secret)

    def sign(self, secret: bytes, message: bytes) -> bytes:
        return ed25519_sign(secret, message)

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        return ed25519_verify(public_key, message, signature)

    def vrf_prove(self, secret: bytes, alpha: bytes) -> bytes:
        return vrf.prove(secret, alpha)

    def vrf_verify(self, public_key: bytes, alpha: bytes, proof: bytes) -> bytes | None:
        return vrf.verify(public_key, alpha, proof)
