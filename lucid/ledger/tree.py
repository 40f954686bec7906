"""The state tree: a sparse Merkle tree over hashed row keys, updated in batches (protocol section 6).

A node lives at its heap index (root 1, children 2i and 2i + 1) and is stored as the very bytes whose hash it is:
`0x00 | key digest | value digest` for a leaf, `0x01 | left hash | right hash` for a branch. A subtree that holds one
row is that row's leaf, however high it stands, and an empty subtree hashes to zeros; so the shape, and with it the
root, depends on the rows alone and not on the order in which they came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lucid.chain.hashing import ZERO_DIGEST, state_node_digest

ROOT = 1
KEY_BITS = 256
LEAF = b"\x00"
BRANCH = b"\x01"

Read = Callable[[int], bytes | None]
Items = list[tuple[int, bytes | None]]


class TreeUpdate:
    """One batch of row changes: `apply` returns the new root and leaves what to write in `writes` (None deletes)."""

    __slots__ = ("_read", "writes")

    def __init__(self, read: Read) -> None:
        self._read = read
        self.writes: dict[int, bytes | None] = {}

    def apply(self, changes: Mapping[bytes, bytes | None]) -> bytes:
        """Set each 32-byte key digest to its value digest, or delete it where None; return the root hash."""
        items = sorted((int.from_bytes(key, "big"), value) for key, value in changes.items())
        node = self._update(ROOT, KEY_BITS - 1, items)
        return _hash(node)

    def _update(self, index: int, bit: int, items: Items) -> bytes | None:
        """Apply `items` below `index`; `bit` is the key bit that its children are told apart by."""
        node = self._read(index)
        if node is None:
            return self._grow(index, bit, [item for item in items if item[1] is not None])
        if node[0] == 0:
            held = int.from_bytes(node[1:33], "big")
            merged = [item for item in items if item[1] is not None]
            if all(key != held for key, _ in items):
                merged = sorted([*merged, (held, node[33:])])
            return self._grow(index, bit, merged, occupied=True)
        split = _split(items, bit)
        left, right = index << 1, (index << 1) | 1
        left_hash, right_hash = node[1:33], node[33:]
        # Sides as (hash, leaf bytes or None); an untouched side is read only if the other side becomes empty.
        left_node = self._update(left, bit - 1, items[:split]) if split else None
        right_node = self._update(right, bit - 1, items[split:]) if split < len(items) else None
        if split:
            left_hash = _hash(left_node)
        if split < len(items):
            right_hash = _hash(right_node)
        if left_hash == ZERO_DIGEST or right_hash == ZERO_DIGEST:
            return self._collapse(index, left_hash, right_hash)
        branch = BRANCH + left_hash + right_hash
        self.writes[index] = branch
        return branch

    def _grow(self, index: int, bit: int, items: Items, occupied: bool = False) -> bytes | None:
        """Build the subtree of `items` where there was nothing, or a single leaf (`occupied`)."""
        if not items:
            if occupied:
                self.writes[index] = None
            return None
        if len(items) == 1:
            key, value = items[0]
            assert value is not None
            node = LEAF + key.to_bytes(32, "big") + value
        else:
            split = _split(items, bit)
            left = self._grow(index << 1, bit - 1, items[:split])
            right = self._grow((index << 1) | 1, bit - 1, items[split:])
            node = BRANCH + _hash(left) + _hash(right)
        self.writes[index] = node
        return node

    def _collapse(self, index: int, left_hash: bytes, right_hash: bytes) -> bytes | None:
        """A branch lost one side: a lone leaf moves up, a lone branch stays below, nothing leaves nothing."""
        if left_hash == right_hash:
            self.writes[index] = None
            return None
        child = (index << 1) | (left_hash == ZERO_DIGEST)
        below = self.writes[child] if child in self.writes else self._read(child)
        assert below is not None, "a hash without its node"
        if below[0] == 0:
            self.writes[child] = None
            self.writes[index] = below
            return below
        branch = BRANCH + left_hash + right_hash
        self.writes[index] = branch
        return branch


def _hash(node: bytes | None) -> bytes:
    return ZERO_DIGEST if node is None else state_node_digest(node)


def _split(items: Items, bit: int) -> int:
    """Where, in sorted `items`, the keys with this bit set begin."""
    for place, (key, _) in enumerate(items):
        if key >> bit & 1:
            return place
    return len(items)
