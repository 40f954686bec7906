"""Merkle trees: Certificate Transparency's SHA-256 vectors, the RFC's recursive definition, and tampered proofs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from lucid.chain.merkle import (
    Hasher,
    consistency_proof,
    inclusion_proof,
    root,
    verify_consistency,
    verify_inclusion,
)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def blake(data: bytes) -> bytes:
    return blake3(data).digest()


HASHERS = st.sampled_from([sha256, blake])
SIZES = range(65)
LEAVES = [b"leaf %d" % number for number in range(64)]


# The vectors of the Certificate Transparency project: google/certificate-transparency,
# cpp/merkletree/merkle_tree_test.cc (kSHA256Roots, kSHA256Paths, kSHA256Proofs); its leaves count from 1, ours from 0.
CT_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
CT_INCLUSION = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
CT_CONSISTENCY = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]


def unhex(items: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(map(bytes.fromhex, items))


@pytest.mark.parametrize("size", range(9))
def test_certificate_transparency_roots(size: int) -> None:
    assert root(CT_LEAVES[:size], sha256).hex() == CT_ROOTS[size]


@pytest.mark.parametrize(("index", "size", "proof"), CT_INCLUSION)
def test_certificate_transparency_inclusion(index: int, size: int, proof: list[str]) -> None:
    assert inclusion_proof(CT_LEAVES[:size], index, sha256) == unhex(proof)
    expected_root = bytes.fromhex(CT_ROOTS[size])
    assert verify_inclusion(CT_LEAVES[index], index, size, unhex(proof), expected_root, sha256)


@pytest.mark.parametrize(("first", "second", "proof"), CT_CONSISTENCY)
def test_certificate_transparency_consistency(first: int, second: int, proof: list[str]) -> None:
    assert consistency_proof(CT_LEAVES[:second], first, sha256) == unhex(proof)
    old, new = unhex([CT_ROOTS[first], CT_ROOTS[second]])
    assert verify_consistency(first, second, old, new, unhex(proof), sha256)


# The definitions of RFC 9162, 2.1, word for word: MTH, PATH and SUBPROOF.


def split(size: int) -> int:
    return max(1 << power for power in range(size) if 1 << power < size)


def naive_root(leaves: Sequence[bytes], hasher: Hasher) -> bytes:
    if not leaves:
        return hasher(b"")
    if len(leaves) == 1:
        return hasher(b"\x00" + leaves[0])
    k = split(len(leaves))
    return hasher(b"\x01" + naive_root(leaves[:k], hasher) + naive_root(leaves[k:], hasher))


def naive_path(index: int, leaves: Sequence[bytes], hasher: Hasher) -> tuple[bytes, ...]:
    if len(leaves) == 1:
        return ()
    k = split(len(leaves))
    if index < k:
        return (*naive_path(index, leaves[:k], hasher), naive_root(leaves[k:], hasher))
    return (*naive_path(index - k, leaves[k:], hasher), naive_root(leaves[:k], hasher))


def naive_subproof(first: int, leaves: Sequence[bytes], whole: bool, hasher: Hasher) -> tuple[bytes, ...]:
    if first == len(leaves):
        return () if whole else (naive_root(leaves, hasher),)
    k = split(len(leaves))
    if first <= k:
        return (*naive_subproof(first, leaves[:k], whole, hasher), naive_root(leaves[k:], hasher))
    return (*naive_subproof(first - k, leaves[k:], False, hasher), naive_root(leaves[:k], hasher))


@pytest.mark.parametrize("size", SIZES)
def test_every_small_tree_is_as_defined(size: int) -> None:
    leaves = LEAVES[:size]
    new_root = root(leaves, sha256)
    assert new_root == naive_root(leaves, sha256)
    for index in range(size):
        path = inclusion_proof(leaves, index, sha256)
        assert path == naive_path(index, leaves, sha256)
        assert verify_inclusion(leaves[index], index, size, path, new_root, sha256)
    for first in range(1, size + 1):
        proof = consistency_proof(leaves, first, sha256)
        assert proof == naive_subproof(first, leaves, True, sha256)
        assert verify_consistency(first, size, root(leaves[:first], sha256), new_root, proof, sha256)


@pytest.mark.parametrize("size", SIZES)
def test_proof_fits_no_other_index(size: int) -> None:
    expected_root = root(LEAVES[:size], sha256)
    for index in range(size):
        proof = inclusion_proof(LEAVES[:size], index, sha256)
        for other in range(-2, size + 2):
            holds = verify_inclusion(LEAVES[index], other, size, proof, expected_root, sha256)
            assert holds is (other == index)


@pytest.mark.parametrize("size", range(1, 10))
def test_index_outside_the_claimed_size_is_refused(size: int) -> None:
    """Whatever size is claimed: the bits of such an index may well spell the right path."""
    expected_root = root(LEAVES[:size], sha256)
    for index in range(size):
        proof = inclusion_proof(LEAVES[:size], index, sha256)
        for claimed_size in range(-1, 20):
            for claimed in (*range(-20, 0), *range(max(0, claimed_size), 20)):
                assert not verify_inclusion(LEAVES[index], claimed, claimed_size, proof, expected_root, sha256)


@pytest.mark.parametrize("second", SIZES)
def test_proof_fits_no_other_old_size(second: int) -> None:
    roots = [root(LEAVES[:size], sha256) for size in range(second + 1)]
    for first in range(1, second + 1):
        proof = consistency_proof(LEAVES[:second], first, sha256)
        for other in range(-2, second + 2):
            holds = verify_consistency(other, second, roots[first], roots[second], proof, sha256)
            assert holds is (other == first)


def test_a_node_cannot_pass_for_a_leaf() -> None:
    nodes = [root([leaf], sha256) for leaf in LEAVES[:2]]
    assert root([b"".join(nodes)], sha256) != root(LEAVES[:2], sha256)


def test_repeating_the_last_leaf_changes_the_root() -> None:
    assert root([*LEAVES[:3], LEAVES[2]], sha256) != root(LEAVES[:3], sha256)


def flip(data: bytes, bit: int) -> bytes:
    """The bytes with one bit turned over, counted around the end; empty ones become one byte."""
    if not data:
        return b"\x00"
    return (int.from_bytes(data, "little") ^ 1 << bit % (8 * len(data))).to_bytes(len(data), "little")


@st.composite
def tampered(draw: st.DrawFn, proof: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The proof with one element added, repeated, dropped, swapped with the next, cut, grown or flipped in one bit."""
    junk, bit = draw(st.binary(max_size=33)), draw(st.integers(0, 511))
    if not proof:
        return (junk,)
    at = draw(st.integers(0, len(proof) - 1))
    before, element, after = proof[:at], proof[at], proof[at + 1 :]
    changes = [
        (*before, junk, element, *after),
        (*before, element, element, *after),
        (*before, *after),
        (*before, *after[:1], element, *after[1:]),
        (*before, element[:-1], *after),
        (*before, element + b"\x00", *after),
        (*before, flip(element, bit), *after),
    ]
    return draw(st.sampled_from([change for change in changes if change != proof]))


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=80), HASHERS, st.data())
def test_tampering_with_an_inclusion_is_noticed(leaves: list[bytes], hasher: Hasher, data: st.DataObject) -> None:
    index, size = data.draw(st.integers(0, len(leaves) - 1)), len(leaves)
    leaf, proof, expected_root = leaves[index], inclusion_proof(leaves, index, hasher), root(leaves, hasher)
    assert verify_inclusion(leaf, index, size, proof, expected_root, hasher)
    assert not verify_inclusion(leaf, index, size, data.draw(tampered(proof)), expected_root, hasher)
    bit = data.draw(st.integers(0, 511))
    assert not verify_inclusion(flip(leaf, bit), index, size, proof, expected_root, hasher)
    assert not verify_inclusion(leaf, index, size, proof, flip(expected_root, bit), hasher)
    assert not verify_inclusion(leaf, index, 2 * size + index, proof, expected_root, hasher)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=80), HASHERS, st.data())
def test_tampering_with_a_consistency_is_noticed(leaves: list[bytes], hasher: Hasher, data: st.DataObject) -> None:
    first, second = data.draw(st.integers(1, len(leaves))), len(leaves)
    proof, old, new = consistency_proof(leaves, first, hasher), root(leaves[:first], hasher), root(leaves, hasher)
    assert verify_consistency(first, second, old, new, proof, hasher)
    assert not verify_consistency(first, second, old, new, data.draw(tampered(proof)), hasher)
    bit = data.draw(st.integers(0, 511))
    assert not verify_consistency(first, second, flip(old, bit), new, proof, hasher)
    assert not verify_consistency(first, second, old, flip(new, bit), proof, hasher)
    assert not verify_consistency(first, 2 * second + first, old, new, proof, hasher)


NUMBERS = st.integers(-3, 9) | st.integers() | st.integers(2**2000, 2**2001)
PROOFS = st.lists(st.binary(max_size=65), max_size=8)


@given(st.binary(), NUMBERS, NUMBERS, PROOFS, st.binary(max_size=65))
def test_arbitrary_inclusions_are_refused(
    leaf: bytes, index: int, size: int, proof: list[bytes], expected_root: bytes
) -> None:
    assert verify_inclusion(leaf, index, size, proof, expected_root, sha256) is False


@given(NUMBERS, NUMBERS, st.binary(max_size=65), st.binary(max_size=65), PROOFS)
def test_arbitrary_consistencies_are_refused(
    first: int, second: int, old: bytes, new: bytes, proof: list[bytes]
) -> None:
    trivial = 0 < first == second and old == new and not proof
    assert verify_consistency(first, second, old, new, proof, sha256) is trivial


@pytest.mark.parametrize("size", [0, 1, 5])
def test_no_proof_of_what_is_not_there(size: int) -> None:
    for index in (-1, size, size + 1):
        with pytest.raises(IndexError):
            inclusion_proof(LEAVES[:size], index, sha256)
    for first in (-1, 0, size + 1):
        with pytest.raises(ValueError, match="to prove"):
            consistency_proof(LEAVES[:size], first, sha256)
