"""The interface through which machines use keys."""

from __future__ import annotations

from typing import Protocol

from lucid.chain.ed25519 import ed25519_public_key

__all__ = ["Crypto", "ed25519_public_key"]
# `ed25519_public_key` was here in earlier releases, and `lucid deploy` asks the image of any release for it here.


class Crypto(Protocol):
    """The key operations of a node, all deterministic. A secret is the 32-byte seed of RFC 8032.

    The methods that take a secret raise ValueError for one that is not 32 bytes long. The verifying ones take bytes
    from outside, so they refuse any they cannot use and never raise.
    """

    def public_key(self, secret: bytes) -> bytes:
        """The 32-byte Ed25519 public key of a secret."""
        ...

    def sign(self, secret: bytes, message: bytes) -> bytes:
        """The 64-byte Ed25519 signature of a message."""
        ...

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Whether a signature holds under the rule of the chain."""
        ...

    def vrf_prove(self, secret: bytes, alpha: bytes) -> bytes:
        """The 80-byte proof of the VRF output over `alpha`."""
        ...

    def vrf_verify(self, public_key: bytes, alpha: bytes, proof: bytes) -> bytes | None:
        """The 64-byte VRF output over `alpha` that the proof shows, or None if it shows none."""
        ...
