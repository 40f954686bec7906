"""The state root from nothing but rows: the sparse Merkle tree over all of them, hashed anew (protocol section 6)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

from lucid.chain.hashing import ZERO_DIGEST, state_key_digest, state_node_digest, state_value_digest

DIGIT_BITS = 4
TOP_SHIFT = 256 - DIGIT_BITS
"""Where the first digit of a digest begins."""


def state_root(rows: Mapping[bytes, bytes]) -> bytes:
    """The root of the tree over all rows."""
    leaves: dict[int, bytes] = {}
    for key, value in rows.items():
        digest = state_key_digest(key)
        leaves[int.from_bytes(digest, "big")] = state_node_digest(b"\x00" + digest + state_value_digest(value))
    return _subtree(sorted(leaves), leaves, 0, len(leaves), TOP_SHIFT)


def _subtree(order: list[int], leaves: Mapping[int, bytes], first: int, end: int, shift: int) -> bytes:
    """The root over the leaves at the places from `first` up to `end`: their key digests differ from `shift` on."""
    if first == end:
        return ZERO_DIGEST
    if end - first == 1:
        return leaves[order[first]]
    bitmap, hashes = 0, []
    while first < end:
        digits = order[first] >> shift
        after = bisect_left(order, digits + 1 << shift, first + 1, end)
        bitmap |= 1 << (digits & 15)
        hashes.append(_subtree(order, leaves, first, after, shift - DIGIT_BITS))
        first = after
    return state_node_digest(b"\x01" + bitmap.to_bytes(2, "big") + b"".join(hashes))
