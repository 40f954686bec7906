"""How many copies the chain knows of: the chunk that fewest hold is what counts, and what was said last."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.chain.transactions import Ranges
from lucid.ledger.replicas import SessionReplicas, fewest_copies, held_ranges, session_replicas
from tests.ledger.test_holdings import ALL, anchored, replicas


def test_a_session_is_replicated_once_every_chunk_has_its_copies() -> None:
    chain = anchored()
    assert replicas(chain)[2:] == (0, 3, ())
    chain.grow(chain.holding(ranges=ALL), chain.holding(node=1, ranges=ALL), chain.holding(node=2, ranges=((0, 3),)))
    assert (replicas(chain).copies, replicas(chain).replicated) == (2, False)
    assert replicas(chain).holders == ((chain.node(0), 7), (chain.node(1), 7), (chain.node(2), 3))
    chain.grow(chain.holding(node=3, ranges=((3, 4),)))
    assert (replicas(chain).copies, replicas(chain).replicated) == (3, True)


def test_who_lost_its_copies_or_is_retired_counts_no_more() -> None:
    chain = anchored()
    chain.grow(*[chain.holding(node=node, ranges=ALL) for node in range(4)])
    assert replicas(chain).copies == 4
    chain.grow(chain.holding(node=1, ranges=()))
    assert (replicas(chain).copies, replicas(chain).replicated) == (3, True)
    chain.grow(chain.retire(2, 0))
    assert replicas(chain)[2:] == (2, 3, ((chain.node(0), 7), (chain.node(3), 7)))


def test_the_factor_that_administrators_set_is_what_counts() -> None:
    chain = anchored()
    chain.grow(chain.holding(ranges=ALL), chain.holding(node=1, ranges=ALL), chain.replicate(2, 0))
    assert replicas(chain).replicated
    chain.grow(chain.replicate(64, 1))
    assert (replicas(chain).wanted, replicas(chain).replicated) == (4, False)


def test_a_chain_of_one_node_has_no_copies() -> None:
    chain = anchored(nodes=1)
    chain.grow(chain.holding(ranges=ALL))
    assert (replicas(chain).copies, replicas(chain).wanted, replicas(chain).replicated) == (1, 1, False)


def test_a_session_that_nobody_anchored_has_none() -> None:
    chain = anchored()
    anchor, other = chain.anchor(), chain.anchor(1)
    assert session_replicas(chain.tip, other.session, other.owner) is None
    assert session_replicas(chain.tip, anchor.session, anchor.owner[::-1]) is None, "of the same id, another owner's"


def test_what_a_node_holds_is_what_it_said_last() -> None:
    chain = anchored()
    anchor = chain.anchor()
    said = [((0, 2), (4, 3)), (), ALL]
    assert held_ranges(chain.tip, anchor.session, anchor.owner, chain.node(0)) == ()
    for ranges in said:
        chain.grow(chain.holding(ranges=ranges))
        assert held_ranges(chain.tip, anchor.session, anchor.owner, chain.node(0)) == ranges
        assert held_ranges(chain.tip, anchor.session, anchor.owner, chain.node(1)) == ()


def ranges_of(chunks: set[int]) -> Ranges:
    """Chunks as ranges that ascend apart."""
    found: list[tuple[int, int]] = []
    for chunk in sorted(chunks):
        if found and sum(found[-1]) == chunk:
            found[-1] = found[-1][0], found[-1][1] + 1
        else:
            found.append((chunk, 1))
    return tuple(found)


@settings(max_examples=60)
@given(held=st.lists(st.sets(st.integers(0, 9)), max_size=5), chunks=st.integers(1, 10))
def test_the_fewest_copies_of_any_chunk_are_counted(held: list[set[int]], chunks: int) -> None:
    counted = min(sum(chunk in one for one in held) for chunk in range(chunks))
    assert fewest_copies([ranges_of(one) for one in held], chunks) == counted


@pytest.mark.parametrize(
    ("copies", "wanted", "replicated"), [(0, 0, False), (1, 1, False), (1, 2, False), (2, 2, True), (3, 2, True)]
)
def test_replicated_is_more_than_one_copy_and_all_that_are_wanted(copies: int, wanted: int, replicated: bool) -> None:
    assert SessionReplicas(7, bytes(32), copies, wanted, ()).replicated is replicated
