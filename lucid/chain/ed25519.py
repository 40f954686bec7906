"""Ed25519 under the one signature rule of the chain.

The rule is libsodium's: cofactorless verification, canonical S, canonical A, and neither A nor R of small order.
Other libraries accept other edge cases, and nodes that disagree on one signature fork, so nothing else in the project
may sign or verify.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from nacl import bindings
from nacl.exceptions import BadSignatureError

# Sizes of RFC 8032, 5.1: a seed and a point of 32 bytes each; a signature is a point and a scalar.
SECRET_BYTES: Final = 32
PUBLIC_KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
# Expanding a seed costs as much as signing. Chosen: a node holds one or two, a simulated network of 1 000 nodes one for
# each. At half, such a network pays for each signature twice; at double, nothing is gained.
_EXPANDED_KEYS_KEPT: Final = 1024


def ed25519_public_key(secret: bytes) -> bytes:
    """The 32-byte public key of a 32-byte seed (RFC 8032, 5.1.5). Raises ValueError for a seed of another length."""
    return _expand(secret)[SECRET_BYTES:]


def ed25519_sign(secret: bytes, message: bytes) -> bytes:
    """The 64-byte signature by a 32-byte seed (RFC 8032, 5.1.6). Raises ValueError for a seed of another length."""
    return bindings.crypto_sign(message, _expand(secret))[:SIGNATURE_BYTES]


def ed25519_verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature holds under libsodium's rule (see above). False, and never an error, for wrong lengths."""
    # The binding hands libsodium bare pointers: a short key would be read past its end.
    if len(public_key) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        bindings.crypto_sign_open(signature + message, public_key)
    except BadSignatureError:
        return False
    return True


@lru_cache(maxsize=_EXPANDED_KEYS_KEPT)
def _expand(secret: bytes) -> bytes:
    """libsodium's 64-byte form of a secret key: the seed, then the public key."""
    _, expanded = bindings.crypto_sign_seed_keypair(secret)
    return expanded
