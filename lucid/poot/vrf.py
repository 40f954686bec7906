"""The verifiable random function behind the beacon: ECVRF-EDWARDS25519-SHA512-TAI of RFC 9381, suite 0x03.

A key has exactly one output per input, which only its holder can compute and everyone can check. What is accepted is
what the RFC accepts with validate_key on, including keys and proofs with a torsion component: a stricter rule would
rest on libsodium's subgroup check, which not all of its releases perform alike.
"""

from __future__ import annotations

from hashlib import sha512
from typing import Final, NamedTuple

from nacl import bindings
from nacl.exceptions import RuntimeError as LibsodiumError

from lucid.chain.ed25519 import PUBLIC_KEY_BYTES, SECRET_BYTES, ed25519_public_key

# Sizes of RFC 9381, 5.5: a proof is a point, a challenge and a scalar; an output is one of SHA-512.
PROOF_BYTES: Final = 80
OUTPUT_BYTES: Final = 64

# RFC 9381, 5.5: ptLen and qLen of edwards25519, cLen.
_POINT_BYTES: Final = 32
_SCALAR_BYTES: Final = 32
_CHALLENGE_BYTES: Final = 16

# The field, the order of the group, and its neutral point as it is encoded (RFC 8032, 5.1); an eighth undoes the
# cofactor.
_FIELD_PRIME: Final = 2**255 - 19
_GROUP_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_EIGHTH: Final = pow(8, -1, _GROUP_ORDER).to_bytes(_SCALAR_BYTES, "little")
_IDENTITY: Final = b"\x01" + bytes(31)

# RFC 9381, 5.4: suite string, then the front and the back separator of each use of the hash.
_ENCODE_TO_CURVE: Final = b"\x03\x01"
_CHALLENGE: Final = b"\x03\x02"
_PROOF_TO_HASH: Final = b"\x03\x03"
_END: Final = b"\x00"

# A minimal build of libsodium fails every operation below, which would pass here for invalid points.
assert bindings.has_crypto_core_ed25519, "libsodium lacks the edwards25519 group"
assert bindings.has_crypto_scalarmult_ed25519, "libsodium lacks edwards25519 multiplication"


class _Proof(NamedTuple):
    """A proof taken apart (RFC 9381, 5.4.4). Points are encoded; scalars are 32 bytes, little-endian."""

    gamma: bytes
    cleared_gamma: bytes  # 8 * gamma, of prime order
    challenge: bytes
    response: bytes


def prove(secret: bytes, alpha: bytes) -> bytes:
    """The 80-byte proof of the output over `alpha` by a 32-byte Ed25519 seed (RFC 9381, 5.1).

    Raises ValueError for a seed of another length.
    """
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a VRF secret is {SECRET_BYTES} bytes, not {len(secret)}")
    public_key = ed25519_public_key(secret)
    digest = sha512(secret).digest()
    exponent = bytes([digest[0] & 0xF8]) + digest[1:31] + bytes([digest[31] & 0x7F | 0x40])
    point = _encode_to_curve(public_key, alpha)
    gamma = bindings.crypto_scalarmult_ed25519_noclamp(exponent, point)
    # The nonce is that of RFC 8032, 5.1.6, over the encoded point (RFC 9381, 5.4.2.2).
    nonce = bindings.crypto_core_ed25519_scalar_reduce(sha512(digest[32:] + point).digest())
    challenge = _challenge(
        public_key,
        point,
        gamma,
        bindings.crypto_scalarmult_ed25519_base_noclamp(nonce),
        bindings.crypto_scalarmult_ed25519_noclamp(nonce, point),
    )
    response = bindings.crypto_core_ed25519_scalar_add(
        nonce, bindings.crypto_core_ed25519_scalar_mul(challenge, exponent)
    )
    return gamma + challenge[:_CHALLENGE_BYTES] + response


def verify(public_key: bytes, alpha: bytes, proof: bytes) -> bytes | None:
    """The 64-byte output that a proof shows for a key and `alpha` (RFC 9381, 5.3), or None if it shows none.

    Never raises, whatever the bytes. A key of small order is refused, as with validate_key on.
    """
    decoded = _decode(proof)
    if decoded is None or len(public_key) != PUBLIC_KEY_BYTES:
        return None
    key_part = _multiply(decoded.challenge, public_key)
    if key_part is None:
        return None
    gamma_part = _multiply(decoded.challenge, decoded.gamma)
    assert gamma_part is not None, "decoding lets no such gamma through"
    point = _encode_to_curve(public_key, alpha)
    challenge = _challenge(
        public_key,
        point,
        decoded.gamma,
        bindings.crypto_core_ed25519_sub(bindings.crypto_scalarmult_ed25519_base_noclamp(decoded.response), key_part),
        bindings.crypto_core_ed25519_sub(
            bindings.crypto_scalarmult_ed25519_noclamp(decoded.response, point), gamma_part
        ),
    )
    return _output(decoded.cleared_gamma) if challenge == decoded.challenge else None


def proof_to_hash(proof: bytes) -> bytes | None:
    """The 64-byte output of a proof known to be valid (RFC 9381, 5.2), or None for bytes that are not a proof at all.

    It checks nothing but the encoding: for a proof from anyone else, use `verify`.
    """
    decoded = _decode(proof)
    return None if decoded is None else _output(decoded.cleared_gamma)


def _decode(proof: bytes) -> _Proof | None:
    """Takes a proof apart (RFC 9381, 5.4.4); None if it is badly encoded.

    Also None for a gamma of small order and for a challenge or response of zero, which libsodium cannot multiply. The
    RFC decodes them, but with a key that is not of small order a proof made of one holds once in 2**128 tries.
    """
    if len(proof) != PROOF_BYTES:
        return None
    gamma, rest = proof[:_POINT_BYTES], proof[_POINT_BYTES:]
    challenge, response = rest[:_CHALLENGE_BYTES], rest[_CHALLENGE_BYTES:]
    if not any(challenge) or not 0 < int.from_bytes(response, "little") < _GROUP_ORDER:
        return None
    cleared_gamma = _clear_cofactor(gamma)
    if cleared_gamma is None:
        return None
    return _Proof(gamma, cleared_gamma, challenge.ljust(_SCALAR_BYTES, b"\x00"), response)


def _encode_to_curve(public_key: bytes, alpha: bytes) -> bytes:
    """A point of prime order for a key and `alpha`, by try and increment (RFC 9381, 5.4.1.1)."""
    point, attempt = None, 0
    while point is None:
        # Half of all strings decode: one-byte counters run out, which is an error here, with probability 2**-256.
        digest = sha512(_ENCODE_TO_CURVE + public_key + alpha + bytes([attempt]) + _END).digest()
        point = _clear_cofactor(digest[:_POINT_BYTES])
        attempt += 1
    return point


def _challenge(*points: bytes) -> bytes:
    """The 16-byte challenge over five encoded points, as a 32-byte scalar (RFC 9381, 5.4.3)."""
    digest = sha512(_CHALLENGE + b"".join(points) + _END).digest()
    return digest[:_CHALLENGE_BYTES].ljust(_SCALAR_BYTES, b"\x00")


def _output(cleared_gamma: bytes) -> bytes:
    """The output for 8 * gamma (RFC 9381, 5.2, steps 6 and 7)."""
    return sha512(_PROOF_TO_HASH + cleared_gamma + _END).digest()


def _clear_cofactor(point: bytes) -> bytes | None:
    """Eight times a point; None if it is not the encoding of a point by RFC 8032, 5.1.3, or is of small order."""
    # libsodium's addition reduces a y-coordinate of 2**255 - 19 or more and drops the sign of x = 0, where decoding
    # must fail. The first is caught here; the points with x = 0 are of small order and fall out at the end.
    if int.from_bytes(point, "little") & (2**255 - 1) >= _FIELD_PRIME:
        return None
    try:
        for _ in range(3):
            point = bindings.crypto_core_ed25519_add(point, point)
    except LibsodiumError:
        return None
    return None if point == _IDENTITY else point


def _multiply(scalar: bytes, point: bytes) -> bytes | None:
    """`scalar` times any point of the curve, for a scalar that is not 0 modulo the group order.

    None if `point` is not the encoding of a point, or is of small order.
    """
    try:
        return bindings.crypto_scalarmult_ed25519_noclamp(scalar, point)
    except LibsodiumError:
        cleared = _clear_cofactor(point)
    if cleared is None:
        return None
    # libsodium multiplies only points of prime order, and this one has torsion: multiply the two parts on their own.
    prime_part = bindings.crypto_scalarmult_ed25519_noclamp(_EIGHTH, cleared)
    torsion = bindings.crypto_core_ed25519_sub(point, prime_part)
    product = bindings.crypto_scalarmult_ed25519_noclamp(scalar, prime_part)
    for _ in range(scalar[0] % 8):
        product = bindings.crypto_core_ed25519_add(product, torsion)
    return product
