"""The state tree, updated in any way, against its definition: the same root and exactly the same nodes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lucid.ledger.tree import BRANCH, DIGIT_BITS, ROOT, TreeUpdate, opened, subtree_hash
from tests.builders import digest
from tests.naive_tree import EMPTY, derived, naive_tree


def key(bits: str) -> bytes:
    """A key digest that begins with these bits and goes on with zeros."""
    return int(bits.ljust(256, "0"), 2).to_bytes(32, "big")


# Keys that part at the first bit, in the middle and at the last, so that leaves stand at every height.
KEYS = [
    *[digest("key", number) for number in range(8)],
    *[key(f"{number:03b}") for number in range(8)],
    *[key("1" * 100 + f"{number:02b}") for number in range(4)],
    *[key("0" * 253 + f"{number:03b}") for number in range(1, 5)],
    *[key("1" * 255 + bit) for bit in "01"],
]
VALUES = [digest("value", number) for number in range(3)]

changes = st.dictionaries(st.sampled_from(KEYS), st.none() | st.sampled_from(VALUES), max_size=8)
contents = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), max_size=len(KEYS))


class Tree:
    """A stored tree that batches are applied to."""

    def __init__(self) -> None:
        self.nodes: dict[int, bytes] = {}
        self.root = EMPTY

    def apply(self, batch: Mapping[bytes, bytes | None]) -> None:
        """Update, and store what the update says."""
        update = TreeUpdate(self.nodes.get)
        self.root = update.apply(batch)
        for index, node in update.writes.items():
            if node is None:
                self.nodes.pop(index, None)
            else:
                self.nodes[index] = node

    def holds(self, rows: Mapping[bytes, bytes]) -> bool:
        """Whether this is the tree of exactly these rows."""
        return (self.root, self.nodes) == naive_tree(rows)


class TreeMachine(RuleBasedStateMachine):
    """Batches of sets and deletes, of rows that are there and of rows that are not."""

    def __init__(self) -> None:
        super().__init__()
        self.tree = Tree()
        self.rows: dict[bytes, bytes] = {}

    @initialize(rows=contents)
    def start(self, rows: dict[bytes, bytes]) -> None:
        self.change(rows)

    @rule(batch=changes)
    def change(self, batch: Mapping[bytes, bytes | None]) -> None:
        self.tree.apply(batch)
        for row, value in batch.items():
            if value is None:
                self.rows.pop(row, None)
            else:
                self.rows[row] = value

    @rule(data=st.data())
    def delete_most(self, data: st.DataObject) -> None:
        kept = data.draw(st.lists(st.sampled_from(KEYS), max_size=3))
        self.change({row: None for row in list(self.rows) if row not in kept})

    @rule(batch=changes)
    def try_and_discard(self, batch: Mapping[bytes, bytes | None]) -> None:
        """An update that nobody stores, as of a block that loses, leaves the tree as it is."""
        TreeUpdate(self.tree.nodes.get).apply(batch)

    @invariant()
    def is_the_tree_of_its_rows(self) -> None:
        assert self.tree.holds(self.rows)


TestTree = TreeMachine.TestCase
pytest.mark.slow(TestTree)
TestTree.settings = settings(max_examples=60, stateful_step_count=12)


def test_an_empty_tree_hashes_to_zeros() -> None:
    tree = Tree()
    tree.apply({})
    assert (tree.root, tree.nodes) == (bytes(32), {})
    tree.apply({KEYS[0]: None})
    assert (tree.root, tree.nodes) == (bytes(32), {})


def test_one_row_is_a_leaf_at_the_root() -> None:
    tree = Tree()
    tree.apply({KEYS[0]: VALUES[0]})
    assert tree.nodes == {1: b"\x00" + KEYS[0] + VALUES[0]}
    assert tree.root == derived("lucid state node v1", b"\x00" + KEYS[0] + VALUES[0])


def test_two_rows_part_where_their_keys_do() -> None:
    """Keys 05... and 0b...: a branch at the root with one child, a branch below it with two, two leaves."""
    tree, first, second = Tree(), key("00000101"), key("00001011")
    tree.apply({first: VALUES[0], second: VALUES[1]})
    leaves = [b"\x00" + first + VALUES[0], b"\x00" + second + VALUES[1]]
    hashes = [derived("lucid state node v1", leaf) for leaf in leaves]
    below = b"\x01" + bytes.fromhex("0820") + hashes[0] + hashes[1]
    above = b"\x01" + bytes.fromhex("0001") + derived("lucid state node v1", below)
    assert tree.nodes == {0x1: above, 0x10: below, 0x105: leaves[0], 0x10B: leaves[1]}
    assert tree.root == derived("lucid state node v1", above)


@given(rows=contents, data=st.data())
def test_the_root_does_not_depend_on_order_or_batches(rows: dict[bytes, bytes], data: st.DataObject) -> None:
    at_once, in_parts = Tree(), Tree()
    at_once.apply(rows)
    order = data.draw(st.permutations(list(rows)))
    while order:
        count = data.draw(st.integers(1, len(order)))
        in_parts.apply({row: rows[row] for row in order[:count]})
        order = order[count:]
    assert in_parts.root == at_once.root
    assert in_parts.nodes == at_once.nodes


@given(rows=contents, batch=changes, alone=st.booleans())
def test_taking_a_change_back_restores_the_earlier_tree(
    rows: dict[bytes, bytes], batch: dict[bytes, bytes | None], alone: bool
) -> None:
    tree = Tree()
    tree.apply(rows)
    root, nodes = tree.root, dict(tree.nodes)
    tree.apply(batch)
    back = {row: rows.get(row) for row in batch}
    for part in [{row: value} for row, value in back.items()] if alone else [back]:
        tree.apply(part)
    assert (tree.root, tree.nodes) == (root, nodes)


@given(rows=contents)
def test_deleting_everything_leaves_nothing(rows: dict[bytes, bytes]) -> None:
    tree = Tree()
    tree.apply(rows)
    tree.apply(dict.fromkeys(rows))
    assert (tree.root, tree.nodes) == (EMPTY, {})


@given(one=contents, other=contents)
def test_two_states_share_a_root_only_if_they_are_one(one: dict[bytes, bytes], other: dict[bytes, bytes]) -> None:
    first, second = Tree(), Tree()
    first.apply(one)
    second.apply(other)
    assert (first.root == second.root) is (one == other)


def test_a_change_reads_and_writes_only_along_its_path() -> None:
    """A block must cost by what it changes, not by what there is."""
    tree = Tree()
    tree.apply({digest("many", number): VALUES[0] for number in range(4_096)})
    reads: list[int] = []

    def read(index: int) -> bytes | None:
        reads.append(index)
        return tree.nodes.get(index)

    update = TreeUpdate(read)
    update.apply({digest("many", 7): VALUES[1]})
    depth = len(f"{max(update.writes):x}")  # nodes from the root to a leaf
    assert len(update.writes) == len(reads) == depth < 10


@pytest.mark.parametrize("others", [0, 1, 20])
def test_setting_a_row_to_what_it_is_changes_no_hash(others: int) -> None:
    tree = Tree()
    tree.apply(dict.fromkeys(KEYS[: others + 1], VALUES[0]))
    root, nodes = tree.root, dict(tree.nodes)
    tree.apply({KEYS[0]: VALUES[0]})
    assert (tree.root, tree.nodes) == (root, nodes)


# -- subtrees ----------------------------------------------------------------------------------------------------


@given(contents, st.integers(0, 6), st.data())
def test_what_is_left_of_an_opened_tree_holds_all_rows_once(
    rows: dict[bytes, bytes], count: int, data: st.DataObject
) -> None:
    """Whichever branches are opened: the hash of each subtree that is left follows from its rows alone."""
    update = TreeUpdate(lambda index: None)
    root = update.apply(rows)
    branches: list[bytes] = []
    left: list[tuple[int, int]] = []
    waiting = [(ROOT, 0)]
    while waiting:
        index, depth = waiting.pop()
        node = update.changed.get(index)
        if node is not None and node.data[:1] == BRANCH and len(branches) < count and data.draw(st.booleans()):
            branches.append(node.data)
            waiting += [
                (index << DIGIT_BITS | digit, depth + 1)
                for digit in reversed(range(16))
                if index << DIGIT_BITS | digit in update.changed
            ]
        else:
            left.append((index, depth))
    found = opened(root, branches)
    assert [depth for _, depth in found] == [depth for _, depth in left]
    held: dict[bytes, bytes] = {}
    for (hash_, depth), (index, _) in zip(found, left, strict=True):
        prefix = index - (1 << DIGIT_BITS * depth)
        below = {key: value for key, value in rows.items() if int.from_bytes(key) >> 256 - DIGIT_BITS * depth == prefix}
        assert subtree_hash(below, depth) == hash_
        held |= below
    assert held == rows


@pytest.mark.parametrize("branches", [[b""], [b"\x01\x00\x00"], [bytes(65)], [b"\x01\x00\x01" + bytes(32)]])
def test_branches_of_another_tree_open_nothing(branches: list[bytes]) -> None:
    update = TreeUpdate(lambda index: None)
    root = update.apply(dict.fromkeys(KEYS[:3], VALUES[0]))
    with pytest.raises(ValueError, match="another tree"):
        opened(root, branches)
    alone = TreeUpdate(lambda index: None)
    lone = alone.apply({KEYS[0]: VALUES[0]})
    assert alone.root is not None
    with pytest.raises(ValueError, match="leaf"):
        opened(lone, [alone.root.data])
