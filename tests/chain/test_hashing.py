"""Hashes: BLAKE3 is the one we think it is (published vectors), and each use of it has a domain of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from lucid.chain import hashing
from lucid.chain.hashing import DIGEST_BYTES, ZERO_DIGEST, domain

# BLAKE3-team/BLAKE3, test_vectors/test_vectors.json: the input is the bytes 0, 1, ..., 250, 0, 1, ... up to the length
# given; then the first 32 bytes of `hash` and of `derive_key` in this context. The lengths surround a chunk (1024
# bytes), two of them, and trees of eight and more.
CONTEXT = "BLAKE3 2019-12-27 16:29:52 test vectors context"
VECTORS = [
    (
        0,
        "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
        "2cc39783c223154fea8dfb7c1b1660f2ac2dcbd1c1de8277b0b0dd39b7e50d7d",
    ),
    (
        1,
        "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
        "b3e2e340a117a499c6cf2398a19ee0d29cca2bb7404c73063382693bf66cb06c",
    ),
    (
        1023,
        "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11",
        "74a16c1c3d44368a86e1ca6df64be6a2f64cce8f09220787450722d85725dea5",
    ),
    (
        1024,
        "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7",
        "7356cd7720d5b66b6d0697eb3177d9f8d73a4a5c5e968896eb6a689684302706",
    ),
    (
        1025,
        "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444",
        "effaa245f065fbf82ac186839a249707c3bddf6d3fdda22d1b95a3c970379bcb",
    ),
    (
        2048,
        "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a",
        "7b2945cb4fef70885cc5d78a87bf6f6207dd901ff239201351ffac04e1088a23",
    ),
    (
        2049,
        "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030",
        "2ea477c5515cc3dd606512ee72bb3e0e758cfae7232826f35fb98ca1bcbdf273",
    ),
    (
        8192,
        "aae792484c8efe4f19e2ca7d371d8c467ffb10748d8a5a1ae579948f718a2a63",
        "ad01d7ae4ad059b0d33baa3c01319dcf8088094d0359e5fd45d6aeaa8b2d0c3d",
    ),
    (
        8193,
        "bab6c09cb8ce8cf459261398d2e7aef35700bf488116ceb94a36d0f5f1b7bc3b",
        "af1e0346e389b17c23200270a64aa4e1ead98c61695d917de7d5b00491c9b0f1",
    ),
    (
        31744,
        "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47",
        "39772aef80e0ebe60596361e45b061e8f417429d529171b6764468c22928e28e",
    ),
]


def vector_input(length: int) -> bytes:
    return bytes(number % 251 for number in range(length))


@pytest.mark.parametrize(("length", "digest", "derived"), VECTORS)
def test_published_vectors(length: int, digest: str, derived: str) -> None:
    data = vector_input(length)
    assert blake3(data).hexdigest() == digest
    assert blake3(data, derive_key_context=CONTEXT).hexdigest() == derived


@pytest.mark.parametrize(("length", "digest", "derived"), VECTORS)
def test_domain_is_derive_key(length: int, digest: str, derived: str) -> None:
    tagged = domain(CONTEXT)
    assert tagged(vector_input(length)).hex() == derived
    assert tagged(vector_input(length)).hex() == derived, "a digest must leave no trace in the next"


# -- the domains -------------------------------------------------------------------------------------------------------

DIGESTS = {name: value for name, value in vars(hashing).items() if name.endswith("_digest")}
DIGESTS["placement_lots"] = lambda data: hashing.placement_lots(data, hashing.DIGEST_BYTES)
PROTOCOL = Path(hashing.__file__).parents[2] / "docs" / "protocol.md"


@given(st.binary(max_size=200))
def test_no_two_domains_say_the_same_of_anything(data: bytes) -> None:
    found = {digest(data) for digest in DIGESTS.values()}
    assert len(found) == len(DIGESTS) and ZERO_DIGEST not in found
    assert {len(each) for each in found} == {DIGEST_BYTES}


def test_the_domains_are_those_of_the_protocol() -> None:
    """Another implementation has nothing but the document: each context that it names is here, and no other."""
    contexts = re.findall(r"^\| [^|]+ \| `(lucid [a-z ]+ v\d+)` \|", PROTOCOL.read_text("utf-8"), re.MULTILINE)
    named = {context: blake3(b"x", derive_key_context=context).digest() for context in contexts}
    used = {digest(b"x"): name for name, digest in DIGESTS.items()}
    assert len(named) == len(contexts) > 15
    assert set(used) == set(named.values()), [used.get(each) for each in set(used) ^ set(named.values())]
