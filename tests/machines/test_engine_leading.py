"""The engine as a leader: when it builds, what it puts in, and that it proposes once a view, whatever comes between."""

from __future__ import annotations

from typing import Any

import pytest

from lucid.chain.errors import Code
from lucid.chain.votes import NOTARIZE, PROPOSE
from lucid.machines.effects import (
    PROPOSE_TIMER,
    VIEW_TIMER,
    BlockBuilt,
    Build,
    Evicted,
    Finalized,
    Forward,
    Publish,
    SetTimer,
    Store,
    ViewContext,
)
from lucid.machines.limits import DEFAULT_LIMITS
from lucid.machines.messages import Transactions, VoteMessage
from tests.builders import CRYPTO
from tests.machines.bench import BLOCK_A, BLOCK_B, Bench, facts, signed, told

DUE_MS = 10_000


@pytest.fixture
def bench() -> Bench:
    """Validator 0 of four, in no view yet."""
    return Bench()


def lead(bench: Bench, **changes: Any) -> ViewContext:
    """View 1 on genesis, led by the engine."""
    return bench.context(leader=bench.key, **changes)


# -- building ----------------------------------------------------------------------------------------------------


def test_builds_when_the_tick_comes(bench: Bench) -> None:
    effects = bench.handle(lead(bench), at=1_000)
    assert not told(effects, Build)
    assert bench.timers[PROPOSE_TIMER] == DUE_MS
    [build] = told(bench.fire(PROPOSE_TIMER), Build)
    assert (build.view, build.parent, build.tick) == (1, bench.chain_id, 1)
    assert CRYPTO.vrf_verify(bench.key, bytes(32), build.vrf_proof) is not None


def test_builds_at_once_with_the_current_tick_when_the_chain_is_behind(bench: Bench) -> None:
    [build] = told(bench.handle(lead(bench), at=65_000), Build)
    assert build.tick == 6


def test_a_clock_that_is_behind_never_takes_a_tick_below_the_next(bench: Bench) -> None:
    [build] = told(bench.handle(lead(bench, parent_tick=5), at=60_000), Build)
    assert build.tick == 6


def test_builds_once(bench: Bench) -> None:
    bench.handle(lead(bench), at=DUE_MS)
    assert not told(bench.handle(lead(bench), at=DUE_MS), Build)


def test_builds_nothing_before_the_best_block_is_at_hand(bench: Bench) -> None:
    assert not told(bench.handle(lead(bench, ready=False), at=DUE_MS), Build)
    assert told(bench.handle(lead(bench), at=DUE_MS), Build)


def test_builds_nothing_in_a_view_that_another_leads(bench: Bench) -> None:
    assert not told(bench.handle(bench.context(), at=DUE_MS), Build)


def test_builds_nothing_in_a_view_that_timed_out(bench: Bench) -> None:
    bench.handle(lead(bench, ready=False), at=DUE_MS)
    bench.fire(VIEW_TIMER)
    assert not told(bench.handle(lead(bench), at=DUE_MS), Build)


def test_offers_what_waits_to_the_builder(bench: Bench) -> None:
    bench.handle(bench.context())
    others = tuple(bench.endorse(bench.anchor(name), valid_until=100) for name in ("one", "two"))
    bench.handle(Transactions(others))
    [build] = told(bench.handle(bench.skipped(1, leader=bench.key), at=DUE_MS), Build)
    assert set(others) <= set(build.candidates)


# -- publishing --------------------------------------------------------------------------------------------------


def test_a_proposal_is_durable_before_it_leaves(bench: Bench) -> None:
    bench.handle(lead(bench), at=DUE_MS)
    store, observed, publish = bench.handle(BlockBuilt(1, bench.chain_id, BLOCK_A, ()), at=DUE_MS)
    assert isinstance(store, Store)
    [vote] = signed([observed])
    assert (vote.kind, vote.view, vote.block) == (PROPOSE, 1, BLOCK_A)
    assert publish == Forward(
        Publish(vote, CRYPTO.sign(bench.secrets[bench.key], BLOCK_A), bench.engine.timeout.current_ms)
    )


def test_proposes_once_a_view_even_across_a_restart(bench: Bench) -> None:
    for built in (1, 0):
        bench.handle(lead(bench), at=DUE_MS)
        effects = bench.handle(BlockBuilt(1, bench.chain_id, BLOCK_A, ()), at=DUE_MS)
        assert len(told(effects, Publish)) == built
        bench.restart()


@pytest.mark.parametrize("view", [1, 3])
def test_a_block_built_for_another_view_is_not_proposed(bench: Bench, view: int) -> None:
    bench.handle(bench.skipped(1, leader=bench.key), at=DUE_MS)
    assert bench.handle(BlockBuilt(view, bench.chain_id, BLOCK_A, ()), at=DUE_MS) == []


def test_a_block_that_nobody_asked_for_is_not_proposed(bench: Bench) -> None:
    assert bench.handle(BlockBuilt(1, bench.chain_id, BLOCK_A, ())) == []
    bench.handle(bench.context(), at=DUE_MS)
    assert bench.handle(BlockBuilt(1, bench.chain_id, BLOCK_A, ()), at=DUE_MS) == []


def test_a_block_built_on_a_parent_that_was_overtaken_is_not_proposed(bench: Bench) -> None:
    bench.handle(lead(bench), at=DUE_MS)
    bench.handle(lead(bench, parent=BLOCK_B), at=DUE_MS)
    assert not told(bench.handle(BlockBuilt(1, bench.chain_id, BLOCK_A, ()), at=DUE_MS), Publish)


def test_builds_again_when_the_parent_moves(bench: Bench) -> None:
    bench.handle(lead(bench), at=DUE_MS)
    effects = bench.handle(lead(bench, parent=BLOCK_B), at=DUE_MS)
    effects += bench.handle(BlockBuilt(1, bench.chain_id, BLOCK_A, ()), at=DUE_MS)
    assert [build.parent for build in told(effects, Build)] == [BLOCK_B]


def test_a_block_that_comes_after_the_timer_is_not_proposed(bench: Bench) -> None:
    bench.handle(lead(bench), at=DUE_MS)
    bench.fire(VIEW_TIMER)
    assert bench.handle(BlockBuilt(1, bench.chain_id, BLOCK_A, ()), at=15_000) == []


def test_a_closing_block_is_proposed_again_at_once(bench: Bench) -> None:
    effects = bench.handle(lead(bench, view=9, parent=BLOCK_A, parent_tick=100, closing=True))
    [publish] = told(effects, Publish)
    assert (publish.vote.kind, publish.vote.view, publish.vote.block) == (PROPOSE, 9, BLOCK_A)
    assert publish.signature == bytes(64), "the block has its maker's"
    assert not told(bench.handle(lead(bench, view=9, parent=BLOCK_A, closing=True)), Publish)


# -- late votes --------------------------------------------------------------------------------------------------


def test_late_votes_are_those_that_the_parents_certificate_lacks(bench: Bench) -> None:
    bench.handle(bench.context())
    for signer in (1, 2, 3):
        bench.handle(VoteMessage(bench.vote(signer, NOTARIZE, 1, BLOCK_A)))
    entry = bench.certificate(NOTARIZE, 1, BLOCK_A, (0, 2, 3))
    [build] = told(bench.handle(bench.on(BLOCK_A, 1, entry=entry, leader=bench.key), at=20_000), Build)
    assert build.late_votes == (bench.vote(1, NOTARIZE, 1, BLOCK_A),)


def test_on_a_skip_every_vote_is_late(bench: Bench) -> None:
    bench.handle(bench.context())
    bench.handle(VoteMessage(bench.vote(1, NOTARIZE, 1, BLOCK_A)))
    facts = {"parent": BLOCK_A, "parent_view": 1, "parent_height": 1, "parent_tick": 1}
    [build] = told(bench.handle(bench.skipped(2, leader=bench.key, **facts), at=20_000), Build)
    assert build.late_votes == (bench.vote(1, NOTARIZE, 1, BLOCK_A),)


def test_a_late_vote_is_offered_however_many_have_been_credited() -> None:
    """25 validators, two slots of twelve views: the kept votes outnumber the limit, and the oldest ones are cut off."""
    bench = Bench(nodes=25)
    views = 2 * bench.genesis.parameters.slot_views
    bench.handle(bench.context())
    for view in range(1, views + 1):
        block = bytes([view]) * 32
        for signer in range(25):
            bench.handle(VoteMessage(bench.vote(signer, NOTARIZE, view, block)), at=10_000 * view)
        leader = bench.key if view == views else bench.keys[-1]
        event = bench.notarized(block, view, leader=leader)
        effects = bench.handle(event, at=10_000 * (view + 1))
    assert 25 * views > DEFAULT_LIMITS.late_votes
    [build] = told(effects, Build)
    late = [vote for vote in build.late_votes if vote.view == views]
    assert [bench.keys.index(vote.signer) for vote in late] == list(range(25 - bench.validators.quorum))


# -- transactions ------------------------------------------------------------------------------------------------


def test_what_three_builds_refuse_is_evicted(bench: Bench) -> None:
    bench.handle(bench.context())
    transaction = bench.endorse(bench.anchor())
    bench.handle(Transactions((transaction,)))
    refused = BlockBuilt(1, bench.chain_id, BLOCK_A, ((transaction.id, Code.SESSION_DUPLICATE),))
    assert [facts(bench.handle(refused), Evicted) for _ in range(4)] == [
        [], [], [Evicted(transaction.id, Code.SESSION_DUPLICATE)], [],
    ]  # fmt: skip


def test_what_is_final_is_offered_to_no_builder(bench: Bench) -> None:
    bench.handle(bench.context())
    transaction = bench.endorse(bench.anchor())
    bench.handle(Transactions((transaction,)))
    bench.handle(Finalized(0, 1, 1, (transaction.id,)))
    [build] = told(bench.handle(bench.skipped(1, leader=bench.key), at=DUE_MS), Build)
    assert transaction not in build.candidates


def test_the_proposal_timer_is_of_no_use_once_the_view_has_timed_out(bench: Bench) -> None:
    effects = bench.handle(lead(bench))
    assert SetTimer(PROPOSE_TIMER, bench.genesis.tick_ms(1)) in effects
    bench.fire(VIEW_TIMER)
    assert bench.fire(PROPOSE_TIMER) == []
