"""The state tree: a sparse Merkle tree of sixteen branches over hashed row keys, updated in batches (section 6).

A key digest is read as 64 digits of four bits. A node lives at the index 1 followed by the digits that lead to it. It
is stored as the very bytes whose hash it is: `0x00 | key digest | value digest` for a leaf, `0x01 | bitmap | hashes`
for a branch, with bit d of the two bitmap bytes set where there is a child at digit d, and the hashes of those children
in order. A subtree that holds one row is that row's leaf, however high it stands, and an empty tree hashes to zeros; so
the shape, and with it the root, depends on the rows alone and not on the order in which they came.

Sixteen branches and not two, because a block's cost is that of the nodes it makes anew: a quarter as many.

Trees are persistent: an update makes new nodes along its paths and shares the rest with the tree before. Children are
read from the store when they are first walked, and let go again below `KEPT_DIGITS` once they are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from lucid.chain.hashing import ZERO_DIGEST, state_node_digest

# Section 6, State root: sixteen branches, so digits of four bits, 64 of them in a key of 256. The root has the index 1,
# so that what follows it, digit by digit, keeps its leading zeros.
ROOT = 1
DIGIT_BITS = 4
TOP_SHIFT = 256 - DIGIT_BITS
LEAF = b"\x00"
BRANCH = b"\x01"
HASHES = 3
"""Where, in a branch, the hashes of its children begin: behind 0x01 and two bytes of bitmap (section 6, State root)."""

KEPT_DIGITS = 3
"""Levels that stay in memory: at most 16 to this many branches a chain, whatever the number of rows (section 11)."""

Read = Callable[[int], bytes | None]
Items = list[tuple[int, bytes | None]]


class TreeNode:
    """A node: its stored bytes, their hash, and those of its children that were walked, by digit."""

    __slots__ = ("children", "data", "hash")

    def __init__(self, data: bytes, children: dict[int, TreeNode]) -> None:
        self.data = data
        self.hash = state_node_digest(data)
        self.children = children


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
            self.root = self._update(self.root, ROOT, TOP_SHIFT, items)
        return ZERO_DIGEST if self.root is None else self.root.hash

    def _load(self, index: int) -> TreeNode | None:
        data = self._read(index)
        return None if data is None else TreeNode(data, {})

    def _update(self, node: TreeNode | None, index: int, shift: int, items: Items) -> TreeNode | None:
        """Apply `items` to the subtree at `index`, whose children differ in the digit at `shift`."""
        # Most subtrees change in one row: those are walked without grouping.
        if len(items) == 1 and items[0][1] is not None:
            return self._set(node, index, shift, items[0][0], items[0][1])
        if node is None:
            return self._grow(index, shift, [item for item in items if item[1] is not None])
        if node.data[0] == 0:
            held = int.from_bytes(node.data[1:33], "big")
            merged = [item for item in items if item[1] is not None]
            if all(key != held for key, _ in items):
                merged = sorted([*merged, (held, node.data[33:])])
            if not merged:
                self.changed[index] = None
            return self._grow(index, shift, merged)
        hashes, children = _hashes(node.data), dict(node.children)
        for digit, group in groupby(items, lambda item: item[0] >> shift & 15):
            child = self._update(
                self._child(node, index, digit), (index << DIGIT_BITS) | digit, shift - DIGIT_BITS, list(group)
            )
            if child is not None:
                hashes[digit], children[digit] = child.hash, child
            else:
                hashes.pop(digit, None)
                children.pop(digit, None)
        return self._join(index, hashes, children)

    def _set(self, node: TreeNode | None, index: int, shift: int, key: int, value: bytes) -> TreeNode:
        """Set one row: walk down to its place, then make the branches anew on the way up."""
        path: list[TreeNode] = []
        while node is not None and node.data[0] != 0:
            path.append(node)
            digit = key >> shift & 15
            node = self._child(node, index, digit)
            index = (index << DIGIT_BITS) | digit
            shift -= DIGIT_BITS
        items: Items = [(key, value)]
        if node is not None:
            held = int.from_bytes(node.data[1:33], "big")
            if held != key:
                items = sorted([*items, (held, node.data[33:])])
        made = self._grow(index, shift, items)
        assert made is not None, "a row was set"
        changed = self.changed
        for above in reversed(path):
            digit = index & 15
            index >>= DIGIT_BITS
            changed[index] = made = TreeNode(_with_child(above.data, digit, made.hash), {**above.children, digit: made})
        return made

    def _grow(self, index: int, shift: int, items: Items) -> TreeNode | None:
        """Build the subtree of `items` where there was nothing, or a single leaf."""
        if not items:
            return None
        if len(items) == 1:
            key, value = items[0]
            assert value is not None, "a deleted row grows nothing"
            node = TreeNode(LEAF + key.to_bytes(32, "big") + value, {})
        else:
            children: dict[int, TreeNode] = {}
            for digit, group in groupby(items, lambda item: item[0] >> shift & 15):
                child = self._grow((index << DIGIT_BITS) | digit, shift - DIGIT_BITS, list(group))
                assert child is not None, "a group holds a row"
                children[digit] = child
            node = TreeNode(_branch({digit: child.hash for digit, child in children.items()}), children)
        self.changed[index] = node
        return node

    def _join(self, index: int, hashes: dict[int, bytes], children: dict[int, TreeNode]) -> TreeNode | None:
        """The node over these children: a lone leaf moves up, and no child leaves nothing."""
        node: TreeNode | None = None
        if len(hashes) == 1:
            (digit,) = hashes
            below = (index << DIGIT_BITS) | digit
            child = children.get(digit) or self._load(below)
            assert child is not None, "a hash without its node"
            # A single row stands as high as it can, so the root follows from the rows alone (section 6, State root).
            if child.data[0] == 0:
                self.changed[below] = None
                node = child
        if node is None and hashes:
            node = TreeNode(_branch(hashes), children)
        self.changed[index] = node
        return node

    def _child(self, node: TreeNode, index: int, digit: int) -> TreeNode | None:
        child = node.children.get(digit)
        if child is None and int.from_bytes(node.data[1:HASHES], "big") >> digit & 1:
            child = self._load((index << DIGIT_BITS) | digit)
            assert child is not None, "a branch names only children that are stored"
            node.children[digit] = child
        return child


def subtree_hash(rows: Mapping[bytes, bytes], depth: int) -> bytes:
    """The hash of the subtree `depth` digits below the root that holds exactly these rows, digest by key digest."""
    items: Items = sorted((int.from_bytes(key, "big"), value) for key, value in rows.items())
    node = TreeUpdate(lambda index: None)._grow(ROOT, TOP_SHIFT - DIGIT_BITS * depth, items)
    return ZERO_DIGEST if node is None else node.hash


def opened(root: bytes, branches: Sequence[bytes]) -> list[tuple[bytes, int]]:
    """The (hash, depth) of what is left of a tree of hash `root` when these branches are opened, parents first.

    Every hash follows from the root's. Raises `ValueError` for branches that are not of that tree, or in another order.
    """
    left: list[tuple[bytes, int]] = []
    place = 0
    waiting = [(root, 0)]
    while waiting:
        hash_, depth = waiting.pop()
        if place < len(branches) and state_node_digest(branches[place]) == hash_:
            # A leaf hashes like any node: opened, its value would be read as hashes of children.
            if branches[place][:1] != BRANCH:
                raise ValueError("a leaf cannot be opened")
            children = _hashes(branches[place])
            waiting += [(children[digit], depth + 1) for digit in sorted(children, reverse=True)]
            place += 1
        else:
            left.append((hash_, depth))
    if place < len(branches):
        raise ValueError("branches of another tree")
    return left


def release(changed: Mapping[int, TreeNode | None]) -> None:
    """Let go of the children of stored nodes below `KEPT_DIGITS`; they are read again when they are walked."""
    for index, node in changed.items():
        if node is not None and index >> KEPT_DIGITS * DIGIT_BITS:
            node.children = {}


def _branch(hashes: Mapping[int, bytes]) -> bytes:
    bitmap = 0
    for digit in hashes:
        bitmap |= 1 << digit
    return BRANCH + bitmap.to_bytes(2, "big") + b"".join([hashes[digit] for digit in sorted(hashes)])


def _hashes(data: bytes) -> dict[int, bytes]:
    """The hashes of a branch's children, by digit."""
    bitmap = int.from_bytes(data[1:HASHES], "big")
    digits = [digit for digit in range(16) if bitmap >> digit & 1]
    return {digit: data[HASHES + 32 * place : HASHES + 32 * (place + 1)] for place, digit in enumerate(digits)}


def _with_child(data: bytes, digit: int, child: bytes) -> bytes:
    """A branch's bytes with the hash of one child set."""
    bitmap, bit = int.from_bytes(data[1:HASHES], "big"), 1 << digit
    start = HASHES + 32 * (bitmap & (bit - 1)).bit_count()
    if bitmap & bit:
        return data[:start] + child + data[start + 32 :]
    return BRANCH + (bitmap | bit).to_bytes(2, "big") + data[HASHES:start] + child + data[start:]
