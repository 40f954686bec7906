"""Trees that nodes share: what all of them have stored leaves memory, and nobody misses it."""

from __future__ import annotations

import pytest

from lucid.ledger import tree
from lucid.ledger.memory import MemoryStore
from lucid.ledger.state import ROW_TABLE, Divided
from lucid.ledger.tree import TreeNode
from lucid.machines.manager import Manager
from sim.disk import Disk
from sim.execution import SharedTrees
from sim.node import Node
from sim.scenariochecks import changed
from sim.sharedrows import SharedRows
from tests.runs import passed, run, scenario

FAULTS = [
    {"kind": "crash", "node": 1, "at": "80s", "until": "140s"},
    {"kind": "partition", "groups": [[2], [0, 1, 3]], "at": "160s", "until": "200s"},
    {"kind": "wipe", "node": 3, "at": "220s", "until": "240s"},
]


def node() -> TreeNode:
    """A node of a tree that has a child."""
    return TreeNode(b"\x01\x00\x01" + bytes(32), {0: TreeNode(bytes(65), {})})


def test_a_node_goes_once_all_that_share_have_stored_it() -> None:
    trees, one, other = SharedTrees(), MemoryStore(), MemoryStore()
    assert trees.joins(one) and trees.joins(other) and trees.joins(one)
    first, second, built = node(), node(), node()
    deep = 1 << 40
    trees.settled(one, 1, {deep: first})
    trees.settled(one, 2, {deep: second})
    assert first.children and second.children
    trees.settled(other, 1, {deep: built})
    assert (first.children, built.children) == ({}, {}) and second.children
    assert not trees.joins(MemoryStore()), "it has not stored what is gone"
    trees.leaves(other)
    assert second.children == {}
    assert not trees.joins(other)


def test_who_is_behind_holds_up_the_others_until_it_leaves() -> None:
    trees, ahead, behind = SharedTrees(), MemoryStore(), MemoryStore()
    assert trees.joins(ahead) and trees.joins(behind)
    made = [node() for _ in range(5)]
    for height, each in enumerate(made, 1):
        trees.settled(ahead, height, {1 << 40: each})
    assert all(each.children for each in made)
    trees.leaves(behind)
    assert not any(each.children for each in made)


def test_rows_are_divided_once_for_all_stores_that_hold_the_same_and_can_be_read() -> None:
    rows, made = SharedRows(), list[bytes]()
    disks = [Disk(rows) for _ in range(4)]
    trees = SharedTrees()
    for disk in disks:
        assert trees.joins(disk)
        disk.write([(ROW_TABLE, b"key", b"value")])

    def divide(part_bytes: int) -> Divided:
        made.append(b"%d" % len(made))
        return Divided((), (made[-1],))

    assert [trees.divided(disk, 100, divide).parts for disk in disks[:2]] == [(b"0",)] * 2
    disks[2].write([(ROW_TABLE, b"key", b"another")])
    assert trees.divided(disks[2], 100, divide).parts == (b"1",), "its rows are others"
    disks[3].damage([(ROW_TABLE, b"key")])
    assert trees.divided(disks[3], 100, divide).parts == (b"2",), "it meets the damage, as it would alone"
    assert trees.divided(disks[0], 100, divide).parts == (b"3",)
    assert trees.divided(disks[0], 200, divide).parts == (b"4",)


def test_trees_of_which_nothing_stays_in_memory_give_the_same_run(monkeypatch: pytest.MonkeyPatch) -> None:
    disturbed = changed(scenario(nodes=4, duration="5m"), fault=FAULTS)
    hashes = [
        run(disturbed).document["trace_hash"],
        run(changed(disturbed, share_execution=False)).document["trace_hash"],
    ]
    monkeypatch.setattr(tree, "KEPT_DIGITS", 0)
    assert [run(disturbed).document["trace_hash"], *hashes] == hashes[:1] * 3


def test_a_long_chain_keeps_few_nodes_of_its_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "KEPT_DIGITS", 1)
    done = passed(scenario(nodes=4, duration="20m"))
    rows = len(done.world.nodes[0].manager_disk.keys("tree"))
    kept = {id(each) for member in done.world.nodes for each in below(root_of(member))}
    assert len(kept) < rows // 4, f"{len(kept)} of {rows}"


def root_of(member: Node) -> TreeNode | None:
    """The root of the tree that a node has in memory."""
    assert member.manager is not None and isinstance(member.manager.machine, Manager)
    return member.manager.machine.chain.tree.root.ledger._tree


def below(root: TreeNode | None) -> list[TreeNode]:
    """The nodes of a tree that are in memory."""
    return [] if root is None else [root, *(each for child in root.children.values() for each in below(child))]
