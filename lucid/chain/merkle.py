"""Merkle trees as in RFC 6962 and RFC 9162, with proofs of inclusion and of consistency, for any hash.

A leaf is hashed behind 0x00 and a node behind 0x01, so neither can pass for the other. A tree of n leaves splits at the
largest power of two below n; level by level from the leaves that means: pair the nodes up, and let an odd last one rise
unchanged. A proof lists hashes from the leaves to the root.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

Hasher: TypeAlias = Callable[[bytes], bytes]
PiecesHasher: TypeAlias = Callable[[bytes, bytes | memoryview, int], list[bytes]]
"""What hashes each piece of that size, behind the same first bytes."""

_LEAF = b"\x00"
_NODE = b"\x01"


def root(leaves: Sequence[bytes], hasher: Hasher) -> bytes:
    """The root of the tree over the leaves, in order (RFC 9162, 2.1.1); that of no leaves is `hasher(b"")`."""
    return root_of_hashes([leaf_hash(leaf, hasher) for leaf in leaves], hasher)


def leaf_hash(leaf: bytes, hasher: Hasher) -> bytes:
    """The hash of a leaf, for those who see leaves one by one."""
    return hasher(_LEAF + leaf)


def leaf_hashes(data: bytes | memoryview, size: int, hashers: PiecesHasher) -> list[bytes]:
    """The hashes of the leaves of `size` bytes that `data` is cut into; the last one may be shorter."""
    return hashers(_LEAF, data, size)


def root_of_hashes(hashes: Sequence[bytes], hasher: Hasher) -> bytes:
    """The root of the tree over leaves with these hashes."""
    # A level's lone last node goes up as it is and is never doubled: two lists of leaves never share a root (section
    # 2).
    nodes = list(hashes) or [hasher(b"")]
    while len(nodes) > 1:
        nodes = _parents(nodes, hasher)
    return nodes[0]


def inclusion_proof(leaves: Sequence[bytes], index: int, hasher: Hasher) -> tuple[bytes, ...]:
    """The proof that the leaf at `index`, counted from 0, is in the tree (RFC 9162, 2.1.3.1).

    Raises IndexError if there is no such leaf.
    """
    return inclusion_proof_of_hashes([leaf_hash(leaf, hasher) for leaf in leaves], index, hasher)


def inclusion_proof_of_hashes(hashes: Sequence[bytes], index: int, hasher: Hasher) -> tuple[bytes, ...]:
    """The same for leaves with these hashes."""
    if not 0 <= index < len(hashes):
        raise IndexError(f"no leaf {index} among {len(hashes)}")
    return _siblings(list(hashes), index, hasher)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes, hasher: Hasher) -> bool:
    """Whether `leaf` is at `index` in the tree of `size` leaves with that root (RFC 9162, 2.1.3.2).

    Never raises on ints and bytes of any kind. `size` must come from where `root` came from: a proof tells only some
    wrong sizes from the right one.
    """
    if not 0 <= index < size:
        return False
    # Exactly as many hashes as the leaf's path has in a tree of that size (RFC 9162, 2.1.3.2).
    branching, left_only = _path_shape(index, size)
    if len(proof) != branching + left_only:
        return False
    node = hasher(_LEAF + leaf)
    for level, sibling in enumerate(proof):
        on_left = level >= branching or index >> level & 1
        node = hasher(_NODE + sibling + node) if on_left else hasher(_NODE + node + sibling)
    return node == root


def consistency_proof(leaves: Sequence[bytes], first: int, hasher: Hasher) -> tuple[bytes, ...]:
    """The proof that the tree over the first `first` leaves grew into the tree over them all (RFC 9162, 2.1.4.1).

    Empty if `first` is all of them. Raises ValueError unless 0 < first <= len(leaves): of the empty tree there is
    nothing to prove.
    """
    if not 0 < first <= len(leaves):
        raise ValueError(f"no tree of {first} leaves to prove among {len(leaves)}")
    if first == len(leaves):
        return ()
    # The proof starts from the largest full subtree that ends the old tree: the new tree has it too.
    index = first - 1
    nodes = [hasher(_LEAF + leaf) for leaf in leaves]
    for _ in range(_trailing_zeros(first)):
        index >>= 1
        nodes = _parents(nodes, hasher)
    siblings = _siblings(nodes, index, hasher)
    # With nothing before it, that subtree is the old tree, and its root is known.
    return (nodes[index], *siblings) if index else siblings


def verify_consistency(
    first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes], hasher: Hasher
) -> bool:
    """Whether the tree of `first` leaves is the beginning of the tree of `second` leaves (RFC 9162, 2.1.4.2).

    Never raises on ints and bytes of any kind. False for `first` = 0, of which the RFC has no proof. The sizes must
    come from where the roots came from.
    """
    if not 0 < first <= second:
        return False
    # Nothing to prove, so nothing may be said: one proof for each statement.
    if first == second:
        return not proof and first_root == second_root
    start = _trailing_zeros(first)
    path = (first_root, *proof) if first == 1 << start else tuple(proof)
    branching, left_only = _path_shape(first - 1, second)
    if len(path) != 1 + branching - start + left_only:
        return False
    # Siblings on the left are in both trees, those on the right only in the new one.
    old = new = path[0]
    for level, sibling in enumerate(path[1:], start):
        if level >= branching or (first - 1) >> level & 1:
            old = hasher(_NODE + sibling + old)
            new = hasher(_NODE + sibling + new)
        else:
            new = hasher(_NODE + new + sibling)
    return old == first_root and new == second_root


def _siblings(nodes: list[bytes], index: int, hasher: Hasher) -> tuple[bytes, ...]:
    """The siblings on the path from a node of this level to the root, from the bottom up."""
    siblings = []
    while len(nodes) > 1:
        if index ^ 1 < len(nodes):
            siblings.append(nodes[index ^ 1])
        index >>= 1
        nodes = _parents(nodes, hasher)
    return tuple(siblings)


def _parents(nodes: list[bytes], hasher: Hasher) -> list[bytes]:
    """The level above."""
    parents = [hasher(_NODE + left + right) for left, right in zip(nodes[::2], nodes[1::2], strict=False)]
    if len(nodes) % 2:
        parents.append(nodes[-1])
    return parents


def _path_shape(index: int, size: int) -> tuple[int, int]:
    """How many siblings a leaf's path has below the root, in two parts, from the leaf up.

    On the first part the sibling stands left or right as the bit of `index` says. That part ends where the path meets
    the right edge of the tree, where a node has a sibling only if it is a right child: the rest are all on the left.
    """
    branching = (index ^ (size - 1)).bit_length()
    return branching, (index >> branching).bit_count()


def _trailing_zeros(number: int) -> int:
    return (number & -number).bit_length() - 1
