"""Placement: balanced by weight, the same for everyone, and what comes or goes moves only its own."""

from __future__ import annotations

from collections import Counter

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from lucid.chain.placement import MAX_WEIGHT, PlacedNode, placement

CHUNKS = [number.to_bytes(32, "big") for number in range(200)]
keys = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=12, unique=True)
weights = st.integers(1, MAX_WEIGHT - 1)


def fleet(count: int, weight: int = 1) -> list[PlacedNode]:
    """Nodes of one weight."""
    return [PlacedNode(number.to_bytes(32, "little"), weight) for number in range(count)]


@given(keys, st.data(), st.integers(1, 4))
def test_it_names_distinct_nodes_whatever_their_order(found: list[bytes], data: st.DataObject, factor: int) -> None:
    nodes = [PlacedNode(key, data.draw(weights)) for key in found]
    for chunk in CHUNKS[:10]:
        placed = placement(chunk, nodes, factor)
        assert len(set(placed)) == len(placed) == min(factor, len(nodes))
        assert placement(chunk, data.draw(st.permutations(nodes)), factor) == placed


@given(keys, weights, st.integers(1, 4))
def test_a_node_that_comes_or_goes_moves_only_its_own_copies(found: list[bytes], weight: int, factor: int) -> None:
    others = [PlacedNode(key) for key in found[1:]]
    own = PlacedNode(found[0], weight)
    for chunk in CHUNKS[:20]:
        without, with_it = placement(chunk, others, factor), placement(chunk, [*others, own], factor)
        if own.key not in with_it:
            assert with_it == without
        else:
            kept = [key for key in with_it if key != own.key]
            assert kept == list(without[: len(kept)]), "one copy at most moves, and the order of the others stays"


@given(keys, weights)
def test_more_weight_never_takes_a_chunk_away(found: list[bytes], weight: int) -> None:
    others = [PlacedNode(key) for key in found[1:]]
    for chunk in CHUNKS[:20]:
        if found[0] in placement(chunk, [*others, PlacedNode(found[0], weight)]):
            assert found[0] in placement(chunk, [*others, PlacedNode(found[0], weight + 1)])


def test_it_is_balanced_by_weight() -> None:
    chunks = [number.to_bytes(32, "big") for number in range(10_000)]
    nodes = fleet(10)
    held = Counter(key for chunk in chunks for key in placement(chunk, nodes))
    assert all(abs(count - 3_000) < 5 * 3_000**0.5 for count in held.values()), held
    heavy = [*fleet(9), PlacedNode(b"\xff" * 32, 3)]
    first = Counter(placement(chunk, heavy, 1)[0] for chunk in chunks)
    assert abs(first[b"\xff" * 32] - 2_500) < 5 * 2_500**0.5, "three parts of twelve"


def test_copies_are_in_proportion_to_the_weights() -> None:
    """One copy each, within five standard deviations of what the weights say, whatever the weights are."""
    chunks = [number.to_bytes(32, "big") for number in range(20_000)]
    nodes = [PlacedNode(number.to_bytes(32, "little"), weight) for number, weight in enumerate((1, 1, 2, 3, 5, 8, 16))]
    total = sum(node.weight for node in nodes)
    held = Counter(placement(chunk, nodes, 1)[0] for chunk in chunks)
    for node in nodes:
        share = node.weight / total
        expected = len(chunks) * share
        assert abs(held[node.key] - expected) < 5 * (expected * (1 - share)) ** 0.5, (node, held[node.key], expected)


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1), (4, 8), (8, 4), (2, 3), (16, 8), (1, 16)])
def test_a_changed_weight_moves_its_share_of_the_copies_and_no_more(before: int, after: int) -> None:
    """Of one copy each: what a node gains or loses as its weight changes is the difference of its shares."""
    chunks = [number.to_bytes(32, "big") for number in range(20_000)]
    others = [PlacedNode(number.to_bytes(32, "little"), 1 + number % 4) for number in range(1, 10)]
    own, rest = bytes(32), sum(node.weight for node in others)
    moved = gained = 0
    for chunk in chunks:
        [was], [now] = (placement(chunk, [*others, PlacedNode(own, weight)], 1) for weight in (before, after))
        moved += was != now
        gained += was != now and now == own
    expected = len(chunks) * abs(after / (rest + after) - before / (rest + before))
    assert gained == (moved if after > before else 0), "all that moves comes to it, or goes from it"
    assert expected / 1.2 < moved < expected * 1.2, (moved, expected)


@pytest.mark.parametrize("factor", [2, 3])
def test_of_several_copies_a_changed_weight_moves_one_at_most(factor: int) -> None:
    others = [PlacedNode(number.to_bytes(32, "little"), 1 + number % 4) for number in range(1, 10)]
    for chunk in CHUNKS:
        light, heavy = (set(placement(chunk, [*others, PlacedNode(bytes(32), each)], factor)) for each in (2, 8))
        assert light == heavy or heavy - light == {bytes(32)}


def test_a_lost_node_of_ten_moves_a_tenth_of_the_copies_and_no_more() -> None:
    nodes = fleet(10)
    lost = nodes[4].key
    left = [node for node in nodes if node.key != lost]
    held = moved = 0
    for chunk in (number.to_bytes(32, "big") for number in range(5_000)):
        before, after = set(placement(chunk, nodes)), set(placement(chunk, left))
        held += lost in before
        moved += len(after - before)
    assert moved == held


def test_it_is_what_the_protocol_says() -> None:
    """Pinned: every node, of any release, has to come to the same."""
    assert [key[0] for key in placement(bytes(32), fleet(6))] == PINNED
    weighed = [PlacedNode(node.key, 1 + number) for number, node in enumerate(fleet(6))]
    assert [[key[0] for key in placement(bytes([chunk]) * 32, weighed)] for chunk in range(3)] == PINNED_BY_WEIGHT


def test_a_lot_is_a_piece_of_the_extended_output_of_one_hash() -> None:
    """As the text has it, without the product's hasher: the lots of one node are a chunk's best against another's."""
    chunk, nodes = CHUNKS[5], [PlacedNode(bytes([number]) * 32, 1 + number) for number in range(5)]
    lots = {}
    for node in nodes:
        hasher = blake3(derive_key_context="lucid placement v1")
        hasher.update(chunk + node.key + b"\0")
        output = hasher.digest(length=32 * node.weight)
        lots[node.key] = max(output[32 * number :][:32] for number in range(node.weight))
    assert placement(chunk, nodes) == tuple(sorted(lots, key=lots.__getitem__, reverse=True)[:3])


PINNED = [0, 4, 1]
PINNED_BY_WEIGHT = [[4, 5, 2], [3, 5, 1], [5, 3, 2]]
