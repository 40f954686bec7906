"""Placement: balanced by weight, the same for everyone, and what comes or goes moves only its own."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from lucid.chain.placement import PlacedNode, placement

CHUNKS = [number.to_bytes(32, "big") for number in range(200)]
keys = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=12, unique=True)
weights = st.integers(1, 8)


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


PINNED = [0, 4, 1]
