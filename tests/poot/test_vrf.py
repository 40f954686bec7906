"""The VRF: RFC 9381's vectors, a naive second implementation of it, and proofs made by a prover who cheats."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.chain.ed25519 import ed25519_public_key
from lucid.chain.keys import Crypto
from lucid.poot.crypto import Edwards25519
from lucid.poot.vrf import OUTPUT_BYTES, PROOF_BYTES, proof_to_hash, prove, verify

# RFC 9381, appendix B.3, examples 16 to 18: secret, public key, alpha, pi, beta.
RFC_9381 = [
    pytest.param(
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "8657106690b5526245a92b003bb079ccd1a92130477671f6fc01ad16f26f723f"
        "26f8a57ccaed74ee1b190bed1f479d97"
        "27d2d0f9b005a6e456a35d4fb0daab1268a1b0db10836d9826a528ca76567805",
        "90cf1df3b703cce59e2a35b925d411164068269d7b2d29f3301c03dd757876ff"
        "66b71dda49d2de59d03450451af026798e8f81cd2e333de5cdf4f3e140fdd8ae",
        id="example 16",
    ),
    pytest.param(
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "f3141cd382dc42909d19ec5110469e4feae18300e94f304590abdced48aed593"
        "3bf0864a62558b3ed7f2fea45c92a465"
        "301b3bbf5e3e54ddf2d935be3b67926da3ef39226bbc355bdc9850112c8f4b02",
        "eb4440665d3891d668e7e0fcaf587f1b4bd7fbfe99d0eb2211ccec90496310eb"
        "5e33821bc613efb94db5e5b54c70a848a0bef4553a41befc57663b56373a5031",
        id="example 17",
    ),
    pytest.param(
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "9bc0f79119cc5604bf02d23b4caede71393cedfbb191434dd016d30177ccbf80"
        "96bb474e53895c362d8628ee9f9ea3c0"
        "e52c7a5c691b6c18c9979866568add7a2d41b00b05081ed0f58ee5e31b3a970e",
        "645427e5d00c62a23fb703732fa5d892940935942101e456ecca7bb217c61c45"
        "2118fec1219202a0edcf038bb6373241578be7217ba85a2687f7a0310b2df19f",
        id="example 18",
    ),
]


@pytest.mark.parametrize(("secret", "public_key", "alpha", "pi", "beta"), RFC_9381)
def test_rfc_9381(secret: str, public_key: str, alpha: str, pi: str, beta: str) -> None:
    seed, key, text, proof, output = (bytes.fromhex(item) for item in (secret, public_key, alpha, pi, beta))
    assert ed25519_public_key(seed) == key
    assert prove(seed, text) == proof
    assert verify(key, text, proof) == output
    assert proof_to_hash(proof) == output


# A second implementation, in affine coordinates and plain integers, straight from the text of RFC 8032 and RFC 9381.

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

Point = tuple[int, int]
IDENTITY: Point = (0, 1)


def add(a: Point, b: Point) -> Point:
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2
    return (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P


def times(scalar: int, point: Point) -> Point:
    total = IDENTITY
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point, scalar = add(point, point), scalar >> 1
    return total


def minus(point: Point) -> Point:
    return -point[0] % P, point[1]


def encode(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Point | None:
    """RFC 8032, 5.1.3."""
    y, sign = int.from_bytes(data, "little") & (2**255 - 1), data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    return (x if x & 1 == sign else P - x), y


def known(data: bytes) -> Point:
    point = decode(data)
    assert point is not None
    return point


BASE = known((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
# A generator of the eight points of small order.
TORSION = known(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))


def naive_encode_to_curve(public_key: bytes, alpha: bytes) -> Point:
    """RFC 9381, 5.4.1.1."""
    for counter in range(256):
        text = b"\x03\x01" + public_key + alpha + bytes([counter]) + b"\x00"
        point = decode(hashlib.sha512(text).digest()[:32])
        if point and times(8, point) != IDENTITY:
            return times(8, point)
    raise AssertionError("no counter does")


def naive_challenge(public_key: bytes, *points: Point) -> int:
    """RFC 9381, 5.4.3."""
    text = b"\x03\x02" + public_key + b"".join(map(encode, points)) + b"\x00"
    return int.from_bytes(hashlib.sha512(text).digest()[:16], "little")


def naive_verify(public_key: bytes, alpha: bytes, proof: bytes) -> bytes | None:
    """RFC 9381, 5.3, with validate_key on."""
    key, gamma = decode(public_key), decode(proof[:32])
    c, s = int.from_bytes(proof[32:48], "little"), int.from_bytes(proof[48:], "little")
    if key is None or times(8, key) == IDENTITY or gamma is None or s >= L:
        return None
    point = naive_encode_to_curve(public_key, alpha)
    u = add(times(s, BASE), minus(times(c, key)))
    v = add(times(s, point), minus(times(c, gamma)))
    if c != naive_challenge(public_key, point, gamma, u, v):
        return None
    return hashlib.sha512(b"\x03\x03" + encode(times(8, gamma)) + b"\x00").digest()


def craft(
    exponent: int, alpha: bytes, nonce: int, key_torsion: Point, gamma_torsion: Point, cancels: bool = True
) -> tuple[bytes, bytes]:
    """A public key with torsion and a proof whose gamma has some too, by a prover who knows the key's exponent.

    The torsion in U and V depends on the challenge, which depends on them: the prover guesses it modulo 8. Whether the
    guess is right, and the proof so holds, is as `cancels` says.
    """
    public_key = encode(add(times(exponent, BASE), key_torsion))
    point = naive_encode_to_curve(public_key, alpha)
    gamma = add(times(exponent, point), gamma_torsion)
    for attempt in range(nonce, nonce + 200):
        u = add(times(attempt, BASE), minus(times(attempt % 8, key_torsion)))
        v = add(times(attempt, point), minus(times(attempt % 8, gamma_torsion)))
        c = naive_challenge(public_key, point, gamma, u, v)
        if all(times(c % 8, t) == times(attempt % 8, t) for t in (key_torsion, gamma_torsion)) is cancels:
            s = (attempt + c * exponent) % L
            return public_key, encode(gamma) + c.to_bytes(16, "little") + s.to_bytes(32, "little")
    raise AssertionError("no nonce does")


SECRETS = st.binary(min_size=32, max_size=32)


@settings(max_examples=10, deadline=None)
@given(SECRETS, st.binary(max_size=100))
def test_naive_verifier_agrees_on_honest_proofs(secret: bytes, alpha: bytes) -> None:
    crypto: Crypto = Edwards25519()
    key, proof = crypto.public_key(secret), crypto.vrf_prove(secret, alpha)
    output = crypto.vrf_verify(key, alpha, proof)
    assert output is not None
    assert (len(proof), len(output)) == (PROOF_BYTES, OUTPUT_BYTES)
    assert output == proof_to_hash(proof) == naive_verify(key, alpha, proof)
    assert crypto.vrf_verify(key, alpha + b"!", proof) is None


@given(SECRETS, st.binary(max_size=100), st.data())
def test_any_flipped_bit_is_noticed(secret: bytes, alpha: bytes, data: st.DataObject) -> None:
    parts = [ed25519_public_key(secret), alpha, prove(secret, alpha)]
    part = data.draw(st.sampled_from([number for number, part in enumerate(parts) if part]))
    bit = data.draw(st.integers(0, len(parts[part]) * 8 - 1))
    flipped = int.from_bytes(parts[part], "little") ^ 1 << bit
    parts[part] = flipped.to_bytes(len(parts[part]), "little")
    assert verify(*parts) is None


@pytest.mark.parametrize("key_torsion", range(8))
@pytest.mark.parametrize("gamma_torsion", [0, 1, 6])
def test_torsion_is_judged_as_the_rfc_does(key_torsion: int, gamma_torsion: int) -> None:
    """It must cancel in U and V, and it never changes the output: that would let a leader choose between beacons."""
    torsion = times(key_torsion, TORSION), times(gamma_torsion, TORSION)
    key, proof = craft(7, b"alpha", 11, *torsion)
    output = verify(key, b"alpha", proof)
    assert output is not None
    assert output == naive_verify(key, b"alpha", proof)
    _, plain = craft(7, b"alpha", 1000, torsion[0], IDENTITY)
    assert output == verify(key, b"alpha", plain)


@pytest.mark.parametrize(("key_torsion", "gamma_torsion"), [(1, 0), (0, 1), (4, 0), (0, 4), (3, 6)])
def test_torsion_that_stays_is_refused(key_torsion: int, gamma_torsion: int) -> None:
    torsion = times(key_torsion, TORSION), times(gamma_torsion, TORSION)
    key, proof = craft(7, b"alpha", 11, *torsion, cancels=False)
    assert verify(key, b"alpha", proof) is None
    assert naive_verify(key, b"alpha", proof) is None


def test_nonce_of_zero_is_accepted() -> None:
    """It gives the prover's secret away and makes U and V the identity, but the RFC has no rule against it."""
    key, proof = craft(7, b"alpha", 0, IDENTITY, IDENTITY)
    output = verify(key, b"alpha", proof)
    assert output is not None
    assert output == naive_verify(key, b"alpha", proof)


@pytest.mark.parametrize("torsion", range(8))
def test_key_of_small_order_is_refused(torsion: int) -> None:
    """Anyone could prove for such a key: the equations hold with a secret exponent of zero."""
    key, proof = craft(0, b"alpha", 11, times(torsion, TORSION), IDENTITY)
    assert verify(key, b"alpha", proof) is None
    assert naive_verify(key, b"alpha", proof) is None
    assert proof_to_hash(proof) is None, "its gamma is of small order too"


HONEST_KEY = ed25519_public_key(bytes(32))
HONEST = prove(bytes(32), b"alpha")


@pytest.mark.parametrize("torsion", range(8))
def test_honest_proof_is_refused_for_a_key_of_small_order(torsion: int) -> None:
    assert verify(encode(times(torsion, TORSION)), b"alpha", HONEST) is None


@pytest.mark.parametrize("response", [0, L, int.from_bytes(HONEST[48:], "little") + L, 2**256 - 1])
def test_response_outside_the_group_order_is_refused(response: int) -> None:
    assert verify(HONEST_KEY, b"alpha", HONEST) is not None
    proof = HONEST[:48] + response.to_bytes(32, "little")
    assert verify(HONEST_KEY, b"alpha", proof) is None
    assert proof_to_hash(proof) is None


def test_challenge_of_zero_is_refused() -> None:
    proof = HONEST[:32] + bytes(16) + HONEST[48:]
    assert verify(HONEST_KEY, b"alpha", proof) is None
    assert proof_to_hash(proof) is None


@pytest.mark.parametrize("y", range(19))
def test_point_written_in_another_way_is_refused(y: int) -> None:
    """A y-coordinate of 2**255 - 19 or more, where a lenient decoder sees the point with that much less."""
    point, alias = y.to_bytes(32, "little"), (P + y).to_bytes(32, "little")
    assert decode(alias) is None
    assert proof_to_hash(alias + HONEST[32:]) is None
    assert verify(alias, b"alpha", HONEST) is None
    of_use = decode(point) is not None and y > 1
    assert (proof_to_hash(point + HONEST[32:]) is not None) is of_use


@pytest.mark.parametrize("point", [IDENTITY, (0, P - 1)])
def test_negative_zero_is_refused(point: Point) -> None:
    alias = encode(point)[:31] + bytes([encode(point)[31] | 0x80])
    assert decode(alias) is None
    assert proof_to_hash(alias + HONEST[32:]) is None
    assert verify(alias, b"alpha", HONEST) is None


@given(st.binary(min_size=30, max_size=34), st.binary(), st.binary(max_size=PROOF_BYTES + 2))
def test_arbitrary_bytes_are_refused(public_key: bytes, alpha: bytes, junk: bytes) -> None:
    assert verify(public_key, alpha, junk) is None
    assert verify(public_key, alpha, HONEST) is None
    assert verify(public_key, alpha, HONEST[:32] + junk[:48]) is None
    assert verify(HONEST_KEY, alpha, junk[:32] + HONEST[32:]) is None


@pytest.mark.parametrize(("key_bytes", "proof_bytes"), [(31, 80), (33, 80), (0, 80), (32, 79), (32, 81), (32, 0)])
def test_wrong_lengths_are_refused(key_bytes: int, proof_bytes: int) -> None:
    key, proof = (HONEST_KEY + b"\x00")[:key_bytes], (HONEST + b"\x00")[:proof_bytes]
    assert verify(key, b"alpha", proof) is None
    assert (proof_to_hash(proof) is None) is (proof_bytes != PROOF_BYTES)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_secret_of_another_length_is_an_error(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        prove(bytes(length), b"alpha")
