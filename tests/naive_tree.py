"""The state tree by its definition: from all rows at once, with no update in sight (protocol section 6)."""

from __future__ import annotations

from collections.abc import Mapping

from blake3 import blake3

EMPTY = bytes(32)


def derived(context: str, data: bytes) -> bytes:
    """A BLAKE3 digest in a `derive_key` context."""
    return blake3(data, derive_key_context=context).digest()


def naive_tree(digests: Mapping[bytes, bytes], index: int = 1, depth: int = 0) -> tuple[bytes, dict[int, bytes]]:
    """The hash of the subtree of these value digests by key digest, and its nodes by index."""
    if not digests:
        return EMPTY, {}
    if len(digests) == 1:
        ((key, value),) = digests.items()
        node = b"\x00" + key + value
        return derived("lucid state node v1", node), {index: node}
    bitmap, hashes, nodes = 0, b"", dict[int, bytes]()
    for digit in range(16):
        below = {key: value for key, value in digests.items() if int(key.hex()[depth], 16) == digit}
        if below:
            child, child_nodes = naive_tree(below, 16 * index + digit, depth + 1)
            bitmap += 2**digit
            hashes += child
            nodes |= child_nodes
    node = b"\x01" + bitmap.to_bytes(2, "big") + hashes
    return derived("lucid state node v1", node), {index: node} | nodes


def naive_state(rows: Mapping[bytes, bytes]) -> tuple[bytes, dict[int, bytes]]:
    """The state root of rows, and the nodes of their tree."""
    return naive_tree(
        {derived("lucid state key v1", key): derived("lucid state value v1", value) for key, value in rows.items()}
    )
