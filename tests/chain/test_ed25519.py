"""Ed25519: RFC 8032's vectors, and the edge cases on which verifiers disagree and a chain would fork."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings

from lucid.chain.ed25519 import ed25519_public_key, ed25519_sign, ed25519_verify

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
IDENTITY = bytes([1]) + bytes(31)
# A generator of the eight points of small order.
TORSION = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")

# RFC 8032, section 7.1: name, secret, public key, message, signature.
RFC_8032 = [
    pytest.param(
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        id="TEST 1",
    ),
    pytest.param(
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        id="TEST 2",
    ),
    pytest.param(
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        id="TEST 3",
    ),
    pytest.param(
        "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
        "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
        "08b8b2b733424243760fe426a4b54908632110a66c2f6591eabd3345e3e4eb98fa6e264bf09efe12ee50f8f54e9f77b1e355f6c5"
        "0544e23fb1433ddf73be84d879de7c0046dc4996d9e773f4bc9efe5738829adb26c81b37c93a1b270b20329d658675fc6ea534e0"
        "810a4432826bf58c941efb65d57a338bbd2e26640f89ffbc1a858efcb8550ee3a5e1998bd177e93a7363c344fe6b199ee5d02e82"
        "d522c4feba15452f80288a821a579116ec6dad2b3b310da903401aa62100ab5d1a36553e06203b33890cc9b832f79ef80560ccb9"
        "a39ce767967ed628c6ad573cb116dbefefd75499da96bd68a8a97b928a8bbc103b6621fcde2beca1231d206be6cd9ec7aff6f6c9"
        "4fcd7204ed3455c68c83f4a41da4af2b74ef5c53f1d8ac70bdcb7ed185ce81bd84359d44254d95629e9855a94a7c1958d1f8ada5"
        "d0532ed8a5aa3fb2d17ba70eb6248e594e1a2297acbbb39d502f1a8c6eb6f1ce22b3de1a1f40cc24554119a831a9aad6079cad88"
        "425de6bde1a9187ebb6092cf67bf2b13fd65f27088d78b7e883c8759d2c4f5c65adb7553878ad575f9fad878e80a0c9ba63bcbcc"
        "2732e69485bbc9c90bfbd62481d9089beccf80cfe2df16a2cf65bd92dd597b0707e0917af48bbb75fed413d238f5555a7a569d80"
        "c3414a8d0859dc65a46128bab27af87a71314f318c782b23ebfe808b82b0ce26401d2e22f04d83d1255dc51addd3b75a2b1ae078"
        "4504df543af8969be3ea7082ff7fc9888c144da2af58429ec96031dbcad3dad9af0dcbaaaf268cb8fcffead94f3c7ca495e056a9"
        "b47acdb751fb73e666c6c655ade8297297d07ad1ba5e43f1bca32301651339e22904cc8c42f58c30c04aafdb038dda0847dd988d"
        "cda6f3bfd15c4b4c4525004aa06eeff8ca61783aacec57fb3d1f92b0fe2fd1a85f6724517b65e614ad6808d6f6ee34dff7310fdc"
        "82aebfd904b01e1dc54b2927094b2db68d6f903b68401adebf5a7e08d78ff4ef5d63653a65040cf9bfd4aca7984a74d371459867"
        "80fc0b16ac451649de6188a7dbdf191f64b5fc5e2ab47b57f7f7276cd419c17a3ca8e1b939ae49e488acba6b965610b5480109c8"
        "b17b80e1b7b750dfc7598d5d5011fd2dcc5600a32ef5b52a1ecc820e308aa342721aac0943bf6686b64b2579376504ccc493d97e"
        "6aed3fb0f9cd71a43dd497f01f17c0e2cb3797aa2a2f256656168e6c496afc5fb93246f6b1116398a346f1a641f3b041e989f791"
        "4f90cc2c7fff357876e506b50d334ba77c225bc307ba537152f3f1610e4eafe595f6d9d90d11faa933a15ef1369546868a7f3a45"
        "a96768d40fd9d03412c091c6315cf4fde7cb68606937380db2eaaa707b4c4185c32eddcdd306705e4dc1ffc872eeee475a64dfac"
        "86aba41c0618983f8741c5ef68d3a101e8a3b8cac60c905c15fc910840b94c00a0b9d0",
        "0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350"
        "aa5371b1508f9f4528ecea23c436d94b5e8fcd4f681e30a6ac00a9704a188a03",
        id="TEST 1024",
    ),
    pytest.param(
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").hexdigest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
        id="TEST SHA(abc)",
    ),
]

# Wycheproof (C2SP), testvectors_v1/ed25519_test.json: key, message and signature of its first group's "Test" vector.
KEY = bytes.fromhex("7d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa")
MESSAGE = b"Test"
SIGNATURE = bytes.fromhex(
    "7c38e026f29e14aabd059a0f2db8b0cd783040609a8be684db12f82a27774ab0"
    "7a9155711ecfaf7f99f277bad0c6ae7e39d4eef676573336a5c51eb6f946b30d"
)

# From the same file: comment, public key, message, signature, and what libsodium's rule says of it.
WYCHEPROOF = [
    pytest.param(
        "7d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa",
        "54657374",
        "",
        False,
        id="empty signature",
    ),
    pytest.param(
        "7d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa",
        "54657374",
        "7c38e026f29e14aabd059a0f2db8b0cd783040609a8be684db12f82a27774ab0",
        False,
        id="s missing",
    ),
    pytest.param(
        "7d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa",
        "54657374",
        "7c38e026f29e14aabd059a0f2db8b0cd783040609a8be684db12f82a27774ab0"
        "7a9155711ecfaf7f99f277bad0c6ae7e39d4eef676573336a5c51eb6f946",
        False,
        id="signature too short",
    ),
    pytest.param(
        "7d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa",
        "54657374",
        "7c38e026f29e14aabd059a0f2db8b0cd783040609a8be684db12f82a27774ab0"
        "7a9155711ecfaf7f99f277bad0c6ae7e39d4eef676573336a5c51eb6f946b30d"
        "2020",
        False,
        id="signature too long",
    ),
    pytest.param(
        "7d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa",
        "54657374",
        "7c38e026f29e14aabd059a0f2db8b0cd783040609a8be684db12f82a27774ab0"
        "7a9155711ecfaf7f99f277bad0c6ae7e39d4eef676573336a5c51eb6f946b30d"
        "7d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa",
        False,
        id="include pk in signature",
    ),
    pytest.param(
        "7d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa",
        "54657374",
        "007c38e026f29e14aabd059a0f2db8b0cd783040609a8be684db12f82a27774a"
        "b07a9155711ecfaf7f99f277bad0c6ae7e39d4eef676573336a5c51eb6f946b3"
        "0d",
        False,
        id="prepending 0 byte to signature",
    ),
    pytest.param(
        "7d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa",
        "54657374",
        "7c38e026f29e14aabd059a0f2db8b0cd783040609a8be684db12f82a27774ab0"
        "007a9155711ecfaf7f99f277bad0c6ae7e39d4eef676573336a5c51eb6f946b3"
        "0d",
        False,
        id="prepending 0 byte to s",
    ),
    pytest.param(
        "7d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa",
        "54657374",
        "7c38e026f29e14aabd059a0f2db8b0cd783040609a8be684db12f82a27774ab0"
        "7a9155711ecfaf7f99f277bad0c6ae7e39d4eef676573336a5c51eb6f946b30d"
        "00",
        False,
        id="appending 0 byte to signature",
    ),
    pytest.param(
        "7d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa",
        "54657374313236",
        "dffed33a7f420b62bb1731cfd03be805affd18a281ec02b1067ba6e9d2082656"
        "9e742347df59c88ae96db1f1969fb189b0ec34381d85633e1889da48d95e0e",
        False,
        id="removing 0 byte from signature",
    ),
    pytest.param(
        "7d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa",
        "313233343030",
        "e57c1492402ab5ce03e2c3a7f0384d051b9cf3570f1207fc78c1bcc98c281c2b"
        "bb3eb51cd98dddb235a5f46f2bded6af184a58d09cce928bda43f41d69118a03",
        False,
        id="modified bit 7 in R",
    ),
    pytest.param(
        "7d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa",
        "313233343030",
        "0000000000000000000000000000000000000000000000000000000000000000"
        "e0b8e7770d51c7a36375d006c5bffd6af43ff54aaf47e4330dc118c71d61ec02",
        False,
        id="R == 0",
    ),
    pytest.param(
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "313233343030",
        "0100000000000000000000000000000000000000000000000000000000000080"
        "c803ee1f2342aa96ff698a393d1ab5e66f3eda101d6d120b394c3fd32c117d0a",
        False,
        id="R encodes y = 1 with the sign bit of x set",
    ),
    pytest.param(
        "0100000000000000000000000000000000000000000000000000000000000000",
        "6d657373616765",
        "5866666666666666666666666666666666666666666666666666666666666666"
        "0100000000000000000000000000000000000000000000000000000000000000",
        False,
        id="identity public key",
    ),
    pytest.param(
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "746f7273696f6e2d312d3134",
        "b63dd4baa9c75ea9f3f1021ada3bf7dd6872e4cfbdac9653965ef78c4be9845d"
        "27df2ce4101220ec96bc5ccbcefa1336871b76e6ef52a0fb35745bb187b1a10d",
        False,
        id="torsion point 1 of 7 (order 8)",
    ),
    pytest.param(
        "0000000000000000000000000000000000000000000000000000000000000080",
        "",
        "c459280d27f66a3285aa648ca1cc444cdfcde27a6062d117c6cb399e0969d6ed"
        "f8b80551824c3e7275922ac8751e59a42793406560453c4e366999f900480506",
        False,
        id="torsion point 2 of 7 (order 4)",
    ),
    pytest.param(
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "746f7273696f6e2d332d34",
        "afd0270f467226b517fa8f911d1d320906df0065fe0045593c8fd0394770b83e"
        "6bb6f264bca826f9a4631816571f8f42681a94db6d3f032e64721265a06c7009",
        False,
        id="torsion point 3 of 7 (order 8)",
    ),
    pytest.param(
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "",
        "f8cea2efb481e92ca61b8972098e07aa1c16f2166cbd8da7ae682b55e4336939"
        "20b491d7e08ab6c8e521b2f0300befbfcbfd7078340bc153a251896ef8b7c805",
        False,
        id="torsion point 4 of 7 (order 2)",
    ),
    pytest.param(
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "746f7273696f6e2d352d3231",
        "54df79ed63c1bfdc39fd6408ad5f04143bcfc22b7e1dd0e5ea3bc00eccbbbf82"
        "60faa75789f6428d7a8a5a3b850b6779171de7edd504ffcfb5db320dd9864b06",
        False,
        id="torsion point 5 of 7 (order 8)",
    ),
    pytest.param(
        "0000000000000000000000000000000000000000000000000000000000000000",
        "",
        "520679470254237dbe8f93dc12e8b05363f5236b5671ebff01251649930f6c28"
        "7531efeb34b73a6fe0f3170a211ce386ae269b0d145d5a7e63bb4ba15ce0c408",
        False,
        id="torsion point 6 of 7 (order 4)",
    ),
    pytest.param(
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "746f7273696f6e2d372d39",
        "b57aca4330dc58dcfd4ca75a1f7f3161aaf394a57769c7a9e9837d27cf7a80f7"
        "e88557a67e0b4792628285f53ed0f4fac97bc187e436fac5ea0513d320d5560f",
        False,
        id="torsion point 7 of 7 (order 8)",
    ),
    pytest.param(
        "15deb30729eb3e465c88f11b57d0c8d36eb0f670c3b22d2f80ea6049eeb2c23b",
        "6d697865642d6f726465722d302d312d38",
        "49b0d4daf5493b98c7220f7b785fdf10f4befad3262e00f2cd6813c90d1319f6"
        "a7c6c0d69149f691d0c6b428642bb08d7046e0abff7e68e6b83547129f51080b",
        True,
        id="prime-order point 1 plus torsion point 1",
    ),
    pytest.param(
        "fb8ae86afa72f86ab074c3a51440df0d72c13c44cd1c4ae510681b419504974a",
        "",
        "df0ea594369382b35dd6c26bb71a7984f0fda2890a19bbb69bbbaf62242ee74d"
        "d7f1bba3c0da7caa20ebf1337bcc2d39a2547e4e95e132a2daaf272439af8a05",
        True,
        id="prime-order point 1 plus torsion point 4",
    ),
    pytest.param(
        "12cd8bb7d4ad0b6c84bfa3ffb694faee5c9b3a72b8673151e8ed9d7fc2b9a8d6",
        "6d697865642d6f726465722d302d372d33",
        "71e7486ab6df0686580902797c785ffcfb2fe3b61d46c8e5da432e168e05d9c5"
        "9ec91d092c7c8c635de89a97b37e383a4cec89d3c6015fb3fa7fbf43900dae04",
        True,
        id="prime-order point 1 plus torsion point 7",
    ),
    pytest.param(
        "d1e06adf4e05e248e1e52beca14b6be4da0af01b41645d2849b407ec22f41d47",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        False,
        id="sodium_compat v2.5.1 mixed-order subgroup regression",
    ),
]


def scalar(number: int) -> bytes:
    return (number % GROUP_ORDER).to_bytes(32, "little")


def with_torsion(number: int, torsion: int) -> bytes:
    """`number` times the base point, plus `torsion` times the point of order eight."""
    point = bindings.crypto_scalarmult_ed25519_base_noclamp(scalar(number)) if number else IDENTITY
    for _ in range(torsion):
        point = bindings.crypto_core_ed25519_add(point, TORSION)
    return point


def craft(exponent: int, key_torsion: int, nonce: int, nonce_torsion: int, cancels: bool) -> tuple[bytes, bytes, bytes]:
    """A key, a message and a signature for which the cofactored equation holds, and the other if the torsion `cancels`.

    The key is `exponent` times the base point and the signature's R `nonce` times it, each plus the torsion named.
    """
    key, nonce_point = with_torsion(exponent, key_torsion), with_torsion(nonce, nonce_torsion)
    for counter in range(1000):
        message = b"%d" % counter
        challenge = int.from_bytes(hashlib.sha512(nonce_point + key + message).digest(), "little") % GROUP_ORDER
        if ((nonce_torsion + challenge * key_torsion) % 8 == 0) is cancels:
            return key, message, nonce_point + scalar(nonce + challenge * exponent)
    raise AssertionError("no message does")


@pytest.mark.parametrize(("secret", "public_key", "message", "signature"), RFC_8032)
def test_rfc_8032(secret: str, public_key: str, message: str, signature: str) -> None:
    seed, key, text, expected = (bytes.fromhex(item) for item in (secret, public_key, message, signature))
    assert ed25519_public_key(seed) == key
    assert ed25519_sign(seed, text) == expected
    assert ed25519_verify(key, text, expected)


@pytest.mark.parametrize(("public_key", "message", "signature", "holds"), WYCHEPROOF)
def test_wycheproof(public_key: str, message: str, signature: str, holds: bool) -> None:
    assert ed25519_verify(bytes.fromhex(public_key), bytes.fromhex(message), bytes.fromhex(signature)) is holds


@pytest.mark.parametrize("addend", [1, 2, 4, 8])
def test_response_beyond_the_group_order(addend: int) -> None:
    """Wycheproof's SignatureMalleability: the same scalar written another way is another signature, so refused."""
    assert ed25519_verify(KEY, MESSAGE, SIGNATURE)
    response = int.from_bytes(SIGNATURE[32:], "little") + addend * GROUP_ORDER
    assert not ed25519_verify(KEY, MESSAGE, SIGNATURE[:32] + response.to_bytes(32, "little"))


@pytest.mark.parametrize("r", [0, 1, GROUP_ORDER - 1, GROUP_ORDER, 2**255 - 19])
@pytest.mark.parametrize("s", [0, 1, GROUP_ORDER - 1, GROUP_ORDER, 2**255 - 19])
def test_special_values(r: int, s: int) -> None:
    """Wycheproof's "special values for r and s"."""
    assert not ed25519_verify(KEY, b"?", r.to_bytes(32, "little") + s.to_bytes(32, "little"))


@pytest.mark.parametrize(("key_torsion", "nonce_torsion"), [(1, 0), (2, 0), (4, 0), (0, 1), (0, 4), (3, 5)])
def test_equation_has_no_cofactor(key_torsion: int, nonce_torsion: int) -> None:
    """RFC 8032 leaves open whether torsion must cancel; here it must. An upgrade that changes this forks the chain."""
    assert not ed25519_verify(*craft(7, key_torsion, 11, nonce_torsion, cancels=False))


@pytest.mark.parametrize(("key_torsion", "nonce_torsion"), [(0, 0), (1, 0), (2, 6), (4, 4), (5, 1)])
def test_torsion_that_cancels_is_accepted(key_torsion: int, nonce_torsion: int) -> None:
    assert ed25519_verify(*craft(7, key_torsion, 11, nonce_torsion, cancels=True))


@pytest.mark.parametrize("torsion", range(8))
def test_small_order_key_or_nonce(torsion: int) -> None:
    """The equation holds for these, and yet they are refused: such a key signs nothing in particular."""
    assert not ed25519_verify(*craft(0, torsion, 11, 0, cancels=True))
    assert not ed25519_verify(*craft(7, 1, 0, torsion, cancels=True))


@pytest.mark.parametrize("y", range(19))
def test_key_written_in_another_way(y: int) -> None:
    """A y-coordinate of 2**255 - 19 or more. Few keys have one; of y = 1, the identity, anyone knows a signature."""
    message, signature = b"message", with_torsion(11, 0) + scalar(11)
    for sign in (0, 1 << 255):
        assert not ed25519_verify((2**255 - 19 + y | sign).to_bytes(32, "little"), message, signature)


@given(st.binary(), st.binary(), st.binary())
def test_arbitrary_bytes_are_refused(public_key: bytes, message: bytes, signature: bytes) -> None:
    assert ed25519_verify(public_key, message, signature) is False


@pytest.mark.parametrize(("key_bytes", "signature_bytes"), [(31, 64), (33, 64), (0, 64), (32, 63), (32, 65), (32, 0)])
def test_wrong_lengths_are_refused(key_bytes: int, signature_bytes: int) -> None:
    """A long one begins with what would hold, and a short one is what would hold, cut."""
    key, signature = (KEY + b"\x00")[:key_bytes], (SIGNATURE + b"\x00")[:signature_bytes]
    assert not ed25519_verify(key, MESSAGE, signature)


@pytest.mark.parametrize("moved", [1, 3, 4])
def test_bytes_cannot_move_between_signature_and_message(moved: int) -> None:
    """libsodium is handed the two as one string."""
    assert not ed25519_verify(KEY, MESSAGE[moved:], SIGNATURE + MESSAGE[:moved])
    assert not ed25519_verify(KEY, SIGNATURE[-moved:] + MESSAGE, SIGNATURE[:-moved])


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_secret_of_another_length_is_an_error(length: int) -> None:
    with pytest.raises(ValueError, match="seed"):
        ed25519_public_key(bytes(length))
    with pytest.raises(ValueError, match="seed"):
        ed25519_sign(bytes(length), b"message")
