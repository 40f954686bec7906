"""The pool of proposals, alone: what it keeps, and what it forgets when."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from lucid.machines.forktree import ForkNode
from lucid.machines.manager.pool import ProposalKey, ProposalPool
from lucid.machines.messages import CertificatesRequest, Proposal
from tests.builders import Chain
from tests.machines.peers import key_of
from tests.machines.statements import proposal

MOST = 3
PEER = bytes(32)


def in_view(first: Proposal, view: int, signer: bytes) -> Proposal:
    """The same block in another view, by somebody else; its signature does not matter here."""
    return replace(first, vote=replace(first.vote, view=view, signer=signer))


@pytest.fixture
def pool() -> ProposalPool:
    """An empty one."""
    return ProposalPool(MOST)


def test_the_first_proposal_of_a_signer_in_a_view_waits_and_a_second_one_does_not(
    pool: ProposalPool, chain: Chain
) -> None:
    first = proposal(chain, view=1)
    pool.wait(PEER, first)
    pool.wait(key_of(3), first)
    assert [each.peer for each in pool.waiting.values()] == [PEER]


def test_of_too_many_that_wait_the_farthest_view_goes(pool: ProposalPool, chain: Chain) -> None:
    first = proposal(chain, view=1)
    for view in (9, 2, 7, 4, 8, 3):
        pool.wait(PEER, in_view(first, view, key_of(1)))
    assert sorted(view for view, _ in pool.waiting) == [2, 3, 4]


def known(pool: ProposalPool, *keys: ProposalKey) -> None:
    """Let a pool know something of each key."""
    for key in keys:
        pool.judged[key] = bytes(32)
        pool.accused.add(key)
        pool.relayed.add(key)


def final(chain: Chain, view: int, closing: bool) -> ForkNode:
    """A final block of that view."""
    each = proposal(chain, view=view)
    node = ForkNode(each.vote.block, each.block, None, chain.tip, chain.parameters)
    node.closing = closing
    return node


def test_what_is_final_needs_no_proposals_of_its_view_or_before(pool: ProposalPool, chain: Chain) -> None:
    known(pool, (1, PEER), (2, PEER), (3, PEER))
    pool.forget_final(final(chain, 2, closing=False))
    assert set(pool.judged) == pool.accused == pool.relayed == {(3, PEER)}


def test_the_end_of_an_epoch_leaves_no_proposal_of_it(pool: ProposalPool, chain: Chain) -> None:
    known(pool, (1, PEER), (3, PEER))
    pool.forget_final(final(chain, 2, closing=True))
    assert not pool.judged and not pool.accused and not pool.relayed


def test_another_epoch_begins_with_nothing_that_waits_or_is_asked_for(pool: ProposalPool, chain: Chain) -> None:
    known(pool, (1, PEER))
    pool.wait(PEER, proposal(chain, view=1))
    pool.asked[PEER] = CertificatesRequest(epoch=0, first=1, last=2)
    pool.clear()
    assert not (pool.judged or pool.accused or pool.relayed or pool.waiting or pool.asked)
