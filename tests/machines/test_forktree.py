"""The fork tree: what is notarized, what is best, what is missing, and what a new root leaves behind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.chain.certificates import Certificate
from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP
from lucid.machines.forktree import ForkNode, ForkTree
from tests.builders import Chain, digest
from tests.machines.peers import tiny_genesis

GENESIS = tiny_genesis()
EPOCH_VIEWS = GENESIS.parameters.epoch_views


def certificate(view: int, kind: int, block: bytes = b"", epoch: int = 0) -> Certificate:
    """A certificate as the tree sees it: somebody else has verified the signatures."""
    return Certificate(epoch, view, kind, block, b"\x07", ())


@dataclass
class Grove:
    """A tree, and blocks by name to grow it with: "a" on the root, "ab" on "a"."""

    tree: ForkTree = field(init=False)
    nodes: dict[str, ForkNode] = field(default_factory=dict)
    chains: dict[str, Chain] = field(default_factory=dict)

    def __post_init__(self) -> None:
        chain = Chain(GENESIS)
        root = ForkNode(chain.chain_id, None, None, chain.tip, GENESIS.parameters)
        root.certified = 0
        self.tree = ForkTree(root, 0, None)
        self.nodes[""], self.chains[""] = root, chain

    def block(self, name: str, view: int) -> ForkNode:
        """The node of a block in a view, not yet in the tree."""
        chain = self.chains[name[:-1]].copy()
        block = chain.grow(view=view)
        node = ForkNode(chain.hash, block, self.nodes[name[:-1]], chain.tip, GENESIS.parameters)
        self.chains[name], self.nodes[name] = chain, node
        return node

    def grow(self, *names: str, view: int | None = None) -> ForkNode:
        """Add blocks, each in the view of its height unless `view` says otherwise; returns the last."""
        for name in names:
            self.tree.add(self.block(name, len(name) if view is None else view))
        return self.nodes[names[-1]]

    def notarize(self, *names: str) -> None:
        """Record the notarizations of blocks in their own views."""
        for name in names:
            node = self.nodes[name]
            self.tree.record(certificate(node.view, NOTARIZE, node.hash))

    def skip(self, *views: int) -> None:
        """Record skips."""
        for view in views:
            self.tree.record(certificate(view, SKIP))

    def names(self, nodes: Iterable[ForkNode]) -> list[str]:
        """What the test calls these nodes."""
        return [next(name for name, each in self.nodes.items() if each is node) for node in nodes]


@pytest.fixture
def grove() -> Grove:
    return Grove()


def test_an_empty_tree_stands_on_its_root(grove: Grove) -> None:
    tree = grove.tree
    assert tree.best is tree.root
    assert (tree.entry, tree.entry_view, tree.notarized_view) == (None, 0, 0)
    assert (tree.root.height, tree.root.view, tree.root.closing) == (0, 0, False)
    assert list(tree.unfinal()) == []
    assert tree.path(tree.root) == []


def test_blocks_come_after_their_parents(grove: Grove) -> None:
    grove.block("a", 1)
    with pytest.raises(AssertionError, match="after their parents"):
        grove.tree.add(grove.block("ab", 2))
    with pytest.raises(AssertionError, match="after their parents"):
        grove.tree.add(grove.nodes[""])


def test_a_node_knows_its_place(grove: Grove) -> None:
    node = grove.grow("a", "ab")
    assert (node.height, node.view, node.certified, node.closing) == (2, 2, -1, False)
    assert node.turn is node.turn, "ranking is worth keeping"
    assert node.repeat is node.repeat
    assert grove.block("abc", EPOCH_VIEWS - 1).closing is False
    assert grove.block("abd", EPOCH_VIEWS).closing is True
    assert grove.block("abe", EPOCH_VIEWS + 7).closing is True


def test_what_nobody_certified_is_known_and_the_lowest_view_goes_first(grove: Grove) -> None:
    tree = grove.tree
    grove.grow("a", view=1)
    grove.grow("b", view=3)
    grove.grow("c", view=2)
    assert tree.uncertified == {grove.nodes[name].hash: grove.nodes[name] for name in "abc"}
    grove.notarize("a")
    grove.grow("bd", view=4)
    assert set(tree.uncertified.values()) == {grove.nodes["c"], grove.nodes["bd"]}, "nor is what has a child"
    grove.grow("e", view=6)
    grove.grow("f", view=5)
    assert [tree.drop_uncertified() for _ in range(4)] == [grove.nodes[name] for name in ("c", "bd", "f", "e")]
    assert set(tree.nodes.values()) == {tree.root, grove.nodes["a"], grove.nodes["b"]} and not tree.uncertified


def test_what_is_kept_when_a_block_becomes_final_is_what_stands_on_it(grove: Grove) -> None:
    tree = grove.tree
    grove.grow("a", "ab")
    grove.grow("c", view=3)
    assert set(tree.uncertified.values()) == {grove.nodes["ab"], grove.nodes["c"]}
    tree.advance(grove.nodes["a"])
    assert list(tree.uncertified.values()) == [grove.nodes["ab"]]


def test_a_tree_begins_with_what_made_its_root_final_and_is_of_an_epoch(grove: Grove) -> None:
    final = certificate(3, FINALIZE, digest("root"))
    tree = ForkTree(grove.nodes[""], 5, final)
    assert (tree.epoch, tree.entry) == (5, final)


def test_a_node_holds_its_block_and_the_tree_its_certificates(grove: Grove) -> None:
    node = grove.grow("a")
    assert node.block is not None and node.block.header.hash == node.hash
    grove.notarize("a")
    assert grove.tree.certificates == {(1, NOTARIZE): certificate(1, NOTARIZE, node.hash)}


def test_a_closing_block_has_other_leaders_when_it_comes_again() -> None:
    grove = Grove()
    node = grove.grow("a", view=EPOCH_VIEWS)
    assert node.closing and node.height == 1, "an epoch may have no other block"
    assert node.turn.epoch == 1
    assert node.repeat.epoch == 0


def test_the_highest_view_notarized_at_hand_is_best(grove: Grove) -> None:
    tree = grove.tree
    grove.grow("a", "ab", "abc")
    grove.grow("d", view=5)
    assert tree.best is tree.root, "what is valid is not yet notarized"
    for name, best in (("ab", "ab"), ("a", "ab"), ("d", "d"), ("abc", "d")):
        grove.notarize(name)
        assert grove.names([tree.best]) == [best]
    assert tree.notarized_view == 5


def test_a_certified_block_that_is_missing_is_wanted_until_it_comes(grove: Grove) -> None:
    tree = grove.tree
    node = grove.block("a", 1)
    tree.record(certificate(1, NOTARIZE, node.hash))
    assert tree.wanted == {node.hash: 1}
    assert (tree.best, tree.notarized_view) == (tree.root, 1)
    tree.add(node)
    assert tree.wanted == {}
    assert (tree.best, node.certified) == (node, 1)


def test_the_entry_is_the_highest_certificate_and_a_notarization_before_a_skip(grove: Grove) -> None:
    tree = grove.tree
    for view, kind, expected in (
        (2, SKIP, (2, SKIP)),
        (1, NOTARIZE, (2, SKIP)),
        (2, NOTARIZE, (2, NOTARIZE)),
        (2, SKIP, (2, NOTARIZE)),
        (4, NOTARIZE, (4, NOTARIZE)),
        (4, SKIP, (4, NOTARIZE)),
        (5, SKIP, (5, SKIP)),
    ):
        tree.record(certificate(view, kind, digest(view) if kind == NOTARIZE else b""))
        assert tree.entry is not None
        assert (tree.entry.view, tree.entry.kind) == expected
        assert tree.entry_view == expected[0]


@given(st.integers(0, 12), st.integers(0, 14), st.sets(st.integers(1, 13)))
def test_missing_skips_begin_at_the_first(base: int, view: int, skipped: set[int]) -> None:
    grove = Grove()
    grove.skip(*sorted(skipped))
    lacking = [each for each in range(base + 1, view) if each not in skipped]
    span = grove.tree.missing_skips(base, view)
    assert span == ((lacking[0], view - 1) if lacking else None)
    if span is not None:
        assert span[0] <= lacking[-1] <= span[1], "everything that is missing lies within"


def test_a_notarization_is_no_skip(grove: Grove) -> None:
    grove.grow("a")
    grove.notarize("a")
    assert grove.tree.missing_skips(0, 2) == (1, 1)


def test_a_view_out_of_this_world_costs_no_more_than_any_other(grove: Grove) -> None:
    """A proposal may name any view; to look at every one before it would stop the node for good."""
    grove.skip(1, 2)
    assert grove.tree.missing_skips(0, 2**53) == (3, 2**53 - 1)


def test_a_path_leads_from_the_root_up(grove: Grove) -> None:
    grove.grow("a", "ab", "abc")
    grove.grow("ad", view=3)
    tree = grove.tree
    assert grove.names(tree.path(grove.nodes["abc"])) == ["a", "ab", "abc"]
    assert grove.names(tree.path(grove.nodes["ad"])) == ["a", "ad"]
    stranger = ForkNode(digest("stranger"), None, None, grove.nodes["a"].ledger, GENESIS.parameters)
    assert tree.path(stranger) == []


def test_a_new_root_drops_the_other_forks_and_what_is_older(grove: Grove) -> None:
    tree = grove.tree
    grove.grow("a", "ab", "abc")
    grove.grow("d", view=5)
    grove.grow("de", view=6)
    grove.grow("abf", view=4)
    grove.notarize("a", "ab", "abc")
    grove.skip(1, 2, 3)
    dropped, stale = tree.advance(grove.nodes["ab"])
    assert sorted(grove.names(dropped)) == ["a", "d", "de"], "the path to the root is left behind too"
    assert sorted(stale) == [(1, NOTARIZE), (1, SKIP)]
    assert sorted(tree.certificates) == [(2, NOTARIZE), (2, SKIP), (3, NOTARIZE), (3, SKIP)]
    assert sorted(grove.names(tree.nodes.values())) == ["ab", "abc", "abf"]
    assert grove.names([tree.best]) == ["abc"], "the best block is above the root and stays"
    assert sorted(grove.names(tree.unfinal())) == ["abc", "abf"]
    assert tree.root.parent is None


def test_a_best_block_on_a_dropped_fork_gives_way(grove: Grove) -> None:
    grove.grow("a")
    grove.grow("b", view=2)
    grove.notarize("b")
    grove.grow("ac", view=3)
    grove.tree.advance(grove.nodes["a"])
    assert grove.tree.best.hash in grove.tree.nodes


def test_what_was_wanted_at_or_before_the_root_is_wanted_no_more(grove: Grove) -> None:
    grove.grow("a", "ab")
    for view in (1, 2, 3):
        grove.tree.record(certificate(view, NOTARIZE, digest(view)))
    grove.tree.advance(grove.nodes["ab"])
    assert grove.tree.wanted == {digest(3): 3}


def test_an_epoch_opens_with_nothing_but_its_root(grove: Grove) -> None:
    tree = grove.tree
    closing = grove.grow("a", view=EPOCH_VIEWS)
    grove.notarize("a")
    tree.advance(closing)
    tree.record(certificate(EPOCH_VIEWS + 1, NOTARIZE, digest("missing")))
    final = certificate(EPOCH_VIEWS, FINALIZE, closing.hash)
    stale = tree.open_epoch(1, final)
    assert sorted(stale) == [(EPOCH_VIEWS, NOTARIZE), (EPOCH_VIEWS + 1, NOTARIZE)]
    assert (tree.epoch, tree.entry, tree.entry_view, tree.notarized_view) == (1, final, 0, 0)
    assert (tree.certificates, tree.wanted) == ({}, {})
    assert (tree.best, tree.root, closing.certified) == (closing, closing, 0)


def test_unfinal_blocks_come_parents_first(grove: Grove) -> None:
    grove.grow("a", "ab", "abc")
    grove.grow("d", view=4)
    grove.grow("de", view=5)
    heights = [node.height for node in grove.tree.unfinal()]
    assert heights == sorted(heights) == [1, 1, 2, 2, 3]


@settings(max_examples=50)
@given(st.data())
def test_a_tree_under_any_history_keeps_its_shape(data: st.DataObject) -> None:
    """Random blocks, certificates and roots: nodes hang together, best is the highest notarized, nothing old stays."""
    grove = Grove()
    tree = grove.tree
    for view in range(1, data.draw(st.integers(2, 13))):
        parent = data.draw(st.sampled_from(sorted(grove.names(tree.nodes.values()))))
        name = parent + chr(ord("a") + view)
        if view > grove.nodes[parent].view and view < EPOCH_VIEWS and data.draw(st.booleans()):
            node = grove.block(name, view)
            steps: list[Any] = [lambda node=node: tree.add(node)]
            if data.draw(st.booleans()):
                steps.append(lambda name=name: grove.notarize(name))
            for step in steps if data.draw(st.booleans()) else steps[::-1]:
                step()
        else:
            grove.skip(view)
        certified = [name for name, node in grove.nodes.items() if node.certified > tree.root.view]
        final = data.draw(st.sampled_from(["", *certified]))
        if final and grove.nodes[final].hash in tree.nodes:
            tree.advance(grove.nodes[final])
        root = tree.root
        assert all(tree.path(node)[-1] is node for node in tree.nodes.values() if node is not root)
        assert all(node.parent is None or node.parent.hash in tree.nodes for node in tree.nodes.values())
        assert tree.best.certified == max(node.certified for node in tree.nodes.values())
        assert all(subject[0] >= root.view for subject in tree.certificates)
        assert all(hash_ not in tree.nodes for hash_ in tree.wanted)
