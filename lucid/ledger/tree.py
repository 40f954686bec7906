"""The state tree: a sparse Merkle tree over hashed row keys, updated in batches (protocol section 6).

A node lives at its heap index (root 1, children 2i and 2i + 1) and is stored as the very bytes whose hash it is:
`0x00 | key digest | value digest` for a leaf, `0x01 | left hash | right hash` for a branch. A subtree that holds one
row is that row's leaf, however high it stands, and an empty subtree hashes to zeros; so the shape, and with it the
root, depends on the rows alone and not on the order in which they came.

Trees are persistent: an update makes new nodes along its paths and shares the rest with the tree before. Children are
read from the store when they are first walked, and let go again below `KEPT_DEPTH` once they are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lucid.chain.hashing import ZERO_DIGEST, state_node_digest

ROOT = 1
KEY_BITS = 256
LEAF = b"\x00"
BRANCH = b"\x01"
KEPT_DEPTH = 12
"""Levels that stay in memory: at most 2 to this many branches a chain, whatever the number of rows."""

Read = Callable[[int], bytes | None]
Items = list[tuple[int, bytes | None]]


class TreeNode:
    """A node: its stored bytes, their hash, and the children that were walked (None: none, or not read yet)."""

    __slots__ = ("data", "hash", "left", "right")

    def __init__(self, data: bytes, left: TreeNode | None = None, right: TreeNode | None = None) -> None:
        self.data = data
        self.hash = state_node_digest(data)
        self.left = left
        self.right = right


class TreeUpdate:
    """One batch of row changes on the tree below `root` (by default the stored one).

    After `apply`, `root` is the new tree and `changed` holds what to store by index, None where a node is gone.
    """

    __slots__ = ("_read", "changed", "root")

    def __init__(self, read: Read, root: TreeNode | None = None) -> None:
        self._read = read
        self.changed: dict[int, TreeNode | None] = {}
        self.root = self._load(ROOT) if root is None else root

    @property
    def writes(self) -> dict[int, bytes | None]:
        """The bytes to store by index; None deletes."""
        return {index: None if node is None else node.data for index, node in self.changed.items()}

    def apply(self, changes: Mapping[bytes, bytes | None]) -> bytes:
        """Set each 32-byte key digest to its value digest, or delete it where None; return the root hash."""
        items = sorted((int.from_bytes(key, "big"), value) for key, value in changes.items())
        if items:
            self.root = self._update(self.root, ROOT, KEY_BITS - 1, items)
        return ZERO_DIGEST if self.root is None else self.root.hash

    def _load(self, index: int) -> TreeNode | None:
        data = self._read(index)
        return None if data is None else TreeNode(data)

    def _update(self, node: TreeNode | None, index: int, bit: int, items: Items) -> TreeNode | None:
        """Apply `items` to the subtree at `index`; `bit` is the key bit that its children are told apart by."""
        if len(items) == 1 and items[0][1] is not None:
            return self._set(node, index, bit, items[0][0], items[0][1])
        if node is None:
            return self._grow(index, bit, [item for item in items if item[1] is not None])
        if node.data[0] == 0:
            held = int.from_bytes(node.data[1:33], "big")
            merged = [item for item in items if item[1] is not None]
            if all(key != held for key, _ in items):
                merged = sorted([*merged, (held, node.data[33:])])
            if not merged:
                self.changed[index] = None
            return self._grow(index, bit, merged)
        split = _split(items, bit)
        left, right = self._left(node, index), self._right(node, index)
        if split:
            left = self._update(left, index << 1, bit - 1, items[:split])
        if split < len(items):
            right = self._update(right, (index << 1) | 1, bit - 1, items[split:])
        return self._join(index, left, right)

    def _set(self, node: TreeNode | None, index: int, bit: int, key: int, value: bytes) -> TreeNode:
        """Set one row: walk down to its place, then make the branches anew on the way up."""
        path: list[TreeNode] = []
        while node is not None and node.data[0] != 0:
            path.append(node)
            if key >> bit & 1:
                node = self._right(node, index)
                index = (index << 1) | 1
            else:
                node = self._left(node, index)
                index <<= 1
            bit -= 1
        items: Items = [(key, value)]
        if node is not None:
            held = int.from_bytes(node.data[1:33], "big")
            if held != key:
                items = sorted([*items, (held, node.data[33:])])
        made = self._grow(index, bit, items)
        assert made is not None
        changed = self.changed
        for above in reversed(path):
            data = above.data
            if index & 1:
                made = TreeNode(data[:33] + made.hash, above.left, made)
            else:
                made = TreeNode(BRANCH + made.hash + data[33:], made, above.right)
            index >>= 1
            changed[index] = made
        return made

    def _grow(self, index: int, bit: int, items: Items) -> TreeNode | None:
        """Build the subtree of `items` where there was nothing, or a single leaf."""
        if not items:
            return None
        if len(items) == 1:
            key, value = items[0]
            assert value is not None
            node = TreeNode(LEAF + key.to_bytes(32, "big") + value)
        else:
            split = _split(items, bit)
            left = self._grow(index << 1, bit - 1, items[:split])
            right = self._grow((index << 1) | 1, bit - 1, items[split:])
            node = TreeNode(BRANCH + _hash(left) + _hash(right), left, right)
        self.changed[index] = node
        return node

    def _join(self, index: int, left: TreeNode | None, right: TreeNode | None) -> TreeNode | None:
        """A branch over two sides; a lone leaf moves up, and nothing on both sides leaves nothing."""
        node: TreeNode | None
        if left is None and right is None:
            node = None
        elif left is None and right is not None and right.data[0] == 0:
            self.changed[(index << 1) | 1] = None
            node = right
        elif right is None and left is not None and left.data[0] == 0:
            self.changed[index << 1] = None
            node = left
        else:
            node = TreeNode(BRANCH + _hash(left) + _hash(right), left, right)
        self.changed[index] = node
        return node

    def _left(self, node: TreeNode, index: int) -> TreeNode | None:
        if node.left is None and node.data[1:33] != ZERO_DIGEST:
            node.left = self._load(index << 1)
        return node.left

    def _right(self, node: TreeNode, index: int) -> TreeNode | None:
        if node.right is None and node.data[33:] != ZERO_DIGEST:
            node.right = self._load((index << 1) | 1)
        return node.right


def release(changed: Mapping[int, TreeNode | None]) -> None:
    """Let go of the children of stored nodes below `KEPT_DEPTH`; they are read again when they are walked."""
    for index, node in changed.items():
        if node is not None and index >> KEPT_DEPTH:
            node.left = node.right = None


def _hash(node: TreeNode | None) -> bytes:
    return ZERO_DIGEST if node is None else node.hash


def _split(items: Items, bit: int) -> int:
    """Where, in sorted `items`, the keys with this bit set begin."""
    for place, (key, _) in enumerate(items):
        if key >> bit & 1:
            return place
    return len(items)
