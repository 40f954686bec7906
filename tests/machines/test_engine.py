"""The engine in its views: enters, times out, votes, repeats itself; what the golden scripts do not single out."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from lucid.chain.errors import Code
from lucid.chain.transactions import Equivocation
from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, SKIP
from lucid.machines.effects import (
    HOLD_TIMER,
    PROPOSE_TIMER,
    RESEND_TIMER,
    VIEW_TIMER,
    Assembled,
    BroadcastVote,
    EnteredView,
    Forward,
    Observe,
    Refused,
    Respond,
    Retransmit,
    SetTimer,
    Signed,
    Started,
    Store,
    Submitted,
    TimedOut,
    TimerFired,
)
from lucid.machines.messages import VoteMessage
from tests.machines.bench import BLOCK_A, BLOCK_B, BLOCK_C, GENESIS_MS, Bench, facts, heartbeats, offered, told, votes

DUE_MS = 10_000
TIMEOUT_MS = 5_000


@pytest.fixture
def bench() -> Bench:
    """Validator 0 of four, in view 1, which validator 3 leads."""
    bench = Bench()
    bench.handle(bench.context())
    return bench


# -- entering ----------------------------------------------------------------------------------------------------


def test_knows_no_view_before_the_manager_names_one() -> None:
    bench = Bench()
    assert bench.engine.view == (0, 0)
    assert bench.handle(Started()) == []
    assert all(bench.handle(TimerFired(timer)) == [] for timer in (VIEW_TIMER, PROPOSE_TIMER, HOLD_TIMER, RESEND_TIMER))
    assert facts(bench.handle(VoteMessage(bench.vote(1, NOTARIZE, 1, BLOCK_A))), Refused) == [Refused(Code.VOTE_EPOCH)]


def test_the_timer_waits_for_the_proposal_to_be_due() -> None:
    bench = Bench()
    assert facts(bench.handle(bench.context(), at=1_000), EnteredView) == [EnteredView(0, 1, False)]
    assert bench.timers == {VIEW_TIMER: DUE_MS + TIMEOUT_MS, RESEND_TIMER: 1_000 + TIMEOUT_MS}


def test_the_timer_runs_at_once_when_the_chain_is_behind() -> None:
    bench = Bench()
    bench.handle(bench.context(), at=60_000)
    assert bench.timers[VIEW_TIMER] == 60_000 + TIMEOUT_MS


def test_a_closing_block_is_due_at_once() -> None:
    bench = Bench()
    bench.handle(bench.context(parent_tick=50, closing=True), at=1_000)
    assert bench.timers[VIEW_TIMER] == 1_000 + TIMEOUT_MS


@pytest.mark.parametrize(("epoch", "view"), [(0, 4), (1, 1)])
def test_a_view_once_left_never_comes_back(epoch: int, view: int) -> None:
    bench = Bench()
    bench.handle(bench.context(epoch=1, view=2))
    assert bench.handle(bench.context(epoch=epoch, view=view)) == []
    assert bench.engine.view == (1, 2)


def test_a_later_parent_makes_the_timer_wait_for_its_successor(bench: Bench) -> None:
    effects = bench.handle(bench.context(parent=BLOCK_A, parent_tick=3))
    assert effects == [SetTimer(VIEW_TIMER, bench.genesis.tick_ms(4) + TIMEOUT_MS)]


def test_a_later_parent_comes_too_late_for_a_view_that_timed_out(bench: Bench) -> None:
    bench.fire(VIEW_TIMER)
    assert bench.handle(bench.context(parent=BLOCK_A, parent_tick=3)) == []


def test_a_certificate_for_a_view_ahead_is_enough_to_go_there(bench: Bench) -> None:
    bench.handle(bench.notarized(BLOCK_A, 8, held=False))
    assert bench.engine.view == (0, 9)


def test_entering_a_view_cancels_what_the_last_one_waited_for(bench: Bench) -> None:
    bench.handle(bench.verdict(tick=2))
    assert HOLD_TIMER in bench.timers
    bench.handle(bench.skipped(1))
    assert HOLD_TIMER not in bench.timers and PROPOSE_TIMER not in bench.timers


def test_four_skipped_views_double_the_timeout() -> None:
    bench = Bench()
    bench.handle(bench.context(), at=60_000)
    for view in (1, 2, 3, 4):
        bench.handle(bench.skipped(view), at=60_000)
    assert bench.timers[VIEW_TIMER] == 60_000 + 2 * TIMEOUT_MS
    assert bench.timers[RESEND_TIMER] == 60_000 + TIMEOUT_MS, "resends keep to the base timeout"


# -- notarizing --------------------------------------------------------------------------------------------------


def test_a_vote_is_durable_before_it_leaves(bench: Bench) -> None:
    effects = bench.handle(bench.verdict(), at=DUE_MS)
    store, observed, cast, timer = effects
    assert isinstance(store, Store)
    assert isinstance(observed, Observe) and isinstance(observed.fact, Signed)
    assert isinstance(cast, Forward) and isinstance(cast.event, BroadcastVote)
    assert timer == SetTimer(RESEND_TIMER, bench.genesis.tick_ms(1) + TIMEOUT_MS)
    assert votes(effects) == [(NOTARIZE, 1, BLOCK_A)]


def test_notarizes_once_a_view(bench: Bench) -> None:
    bench.handle(bench.verdict(), at=DUE_MS)
    assert bench.handle(bench.verdict(), at=DUE_MS) == []
    assert bench.handle(bench.verdict(BLOCK_B), at=DUE_MS) == []


def test_not_even_after_a_restart(bench: Bench) -> None:
    bench.handle(bench.verdict(), at=DUE_MS)
    bench.restart()
    bench.handle(bench.context())
    assert bench.handle(bench.verdict(BLOCK_B), at=DUE_MS) == []


def test_never_notarizes_after_its_own_skip_even_after_a_restart(bench: Bench) -> None:
    bench.fire(VIEW_TIMER)
    assert bench.handle(bench.verdict(), at=DUE_MS) == []
    bench.restart()
    bench.handle(bench.context())
    assert bench.handle(bench.verdict(), at=DUE_MS) == []


def test_a_verdict_that_comes_before_its_view_is_kept(bench: Bench) -> None:
    assert bench.handle(bench.verdict(view=2, base_view=1, tick=2, block=BLOCK_B)) == []
    assert votes(bench.handle(bench.notarized(BLOCK_A, 1), at=20_000)) == [
        (FINALIZE, 1, BLOCK_A),
        (NOTARIZE, 2, BLOCK_B),
    ]


def test_a_proposal_on_an_older_parent_does_not_use_up_the_vote() -> None:
    """A view can have two rightful leaders, one on each parent."""
    bench = Bench()
    bench.handle(bench.on(BLOCK_A, 1))
    assert votes(bench.handle(bench.verdict(BLOCK_B, view=2), at=DUE_MS)) == []
    assert votes(bench.handle(bench.verdict(BLOCK_C, view=2, base_view=1), at=DUE_MS)) == [(NOTARIZE, 2, BLOCK_C)]


def test_a_verdict_that_comes_after_its_view_is_ignored(bench: Bench) -> None:
    bench.handle(bench.skipped(1), at=DUE_MS)
    assert bench.handle(bench.verdict(), at=DUE_MS) == []


def test_a_late_verdict_does_not_disturb_one_that_is_held(bench: Bench) -> None:
    bench.handle(bench.skipped(1), at=DUE_MS)
    bench.handle(bench.verdict(BLOCK_B, view=2, tick=2), at=DUE_MS)
    bench.handle(bench.verdict(BLOCK_A, view=1), at=DUE_MS)
    assert votes(bench.fire(HOLD_TIMER)) == [(NOTARIZE, 2, BLOCK_B)]


@pytest.mark.parametrize(("base_view", "at_once"), [(0, False), (1, False), (2, True)])
def test_a_parent_older_than_the_best_held_on_entering_waits_for_half_the_timeout(
    base_view: int, at_once: bool
) -> None:
    bench = Bench()
    bench.handle(bench.on(BLOCK_A, 2))
    effects = bench.handle(bench.verdict(BLOCK_B, view=3, base_view=base_view, tick=3), at=30_000)
    assert bool(votes(effects)) is at_once
    if not at_once:
        assert bench.timers[HOLD_TIMER] == 30_000 + TIMEOUT_MS // 2
        assert votes(bench.fire(HOLD_TIMER)) == [(NOTARIZE, 3, BLOCK_B)]


def test_of_two_older_parents_that_wait_the_later_one_gets_the_vote() -> None:
    bench = Bench()
    bench.handle(bench.on(BLOCK_A, 3))
    for base_view, block in ((1, BLOCK_B), (2, BLOCK_C), (0, BLOCK_A)):
        bench.handle(bench.verdict(block, view=4, base_view=base_view, tick=4), at=40_000)
    assert votes(bench.fire(HOLD_TIMER)) == [(NOTARIZE, 4, BLOCK_C)]


@pytest.mark.parametrize("first", ["future", "older"])
def test_a_block_of_the_far_future_takes_no_vote_from_one_on_an_older_parent(first: str) -> None:
    """Its leader lies about the time: the view is over before it may be voted for."""
    bench = Bench()
    bench.handle(bench.on(BLOCK_A, 2))
    verdicts = [
        bench.verdict(BLOCK_C, view=3, base_view=2, tick=50),
        bench.verdict(BLOCK_B, view=3, base_view=1, tick=3),
    ]
    for verdict in verdicts if first == "future" else verdicts[::-1]:
        bench.handle(verdict, at=30_000)
    assert votes(bench.fire(HOLD_TIMER)) == [(NOTARIZE, 3, BLOCK_B)]


def test_a_parent_that_came_after_entering_rules_out_none(bench: Bench) -> None:
    bench.handle(bench.skipped(1), at=DUE_MS)
    bench.handle(bench.on(BLOCK_A, 1), at=DUE_MS)
    assert votes(bench.handle(bench.verdict(BLOCK_B, view=2), at=DUE_MS)) == [(NOTARIZE, 2, BLOCK_B)]


# -- timeliness --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0, 7_999])
def test_a_block_from_the_future_is_held_until_the_drift_covers_it(bench: Bench, at: int) -> None:
    assert bench.handle(bench.verdict(), at=at) == [SetTimer(HOLD_TIMER, bench.genesis.tick_ms(1) - 2_000)]
    assert votes(bench.fire(HOLD_TIMER)) == [(NOTARIZE, 1, BLOCK_A)]
    assert bench.handle(TimerFired(HOLD_TIMER), at=9_000) == []


def test_a_block_at_the_edge_of_the_drift_is_voted_for(bench: Bench) -> None:
    assert votes(bench.handle(bench.verdict(), at=8_000)) == [(NOTARIZE, 1, BLOCK_A)]


def test_a_block_held_for_too_long_gets_no_vote(bench: Bench) -> None:
    bench.handle(bench.verdict(tick=3))
    bench.fire(VIEW_TIMER)
    assert bench.fire(HOLD_TIMER) == []


@pytest.mark.parametrize(("at", "voted"), [(26_999, True), (28_000, False)])
def test_a_process_that_was_stopped_votes_for_a_held_block_before_it_gives_up_its_view(
    bench: Bench, at: int, voted: bool
) -> None:
    """The block's moment came at 8 s and the end of the view after it; the process hears of the latter first."""
    bench.handle(bench.verdict())
    effects = bench.handle(TimerFired(VIEW_TIMER), at=at)
    assert votes(effects) == [(NOTARIZE, 1, BLOCK_A)] * voted + [(SKIP, 1, b"")]
    assert votes(bench.handle(TimerFired(HOLD_TIMER), at=at)) == [], "and once only"


@pytest.mark.parametrize(("at", "voted"), [(27_000, True), (27_001, False)])
def test_a_backdated_block_gets_no_vote(bench: Bench, at: int, voted: bool) -> None:
    """One interval, the timeout and the drift after its tick at 10 s."""
    assert bool(votes(bench.handle(bench.verdict(), at=at))) is voted


def test_a_longer_timeout_allows_older_blocks() -> None:
    bench = Bench()
    bench.handle(bench.context())
    for view in (1, 2, 3, 4):
        bench.handle(bench.skipped(view))
    assert votes(bench.handle(bench.verdict(view=5), at=32_000)) == [(NOTARIZE, 5, BLOCK_A)]


@pytest.mark.parametrize("at", [0, 1_000_000])
def test_a_block_proposed_again_is_judged_by_no_clock(bench: Bench, at: int) -> None:
    assert votes(bench.handle(bench.verdict(fresh=False), at=at)) == [(NOTARIZE, 1, BLOCK_A)]


# -- giving up ---------------------------------------------------------------------------------------------------


def test_skips_when_the_timer_fires(bench: Bench) -> None:
    bench.handle(bench.verdict(), at=DUE_MS)
    effects = bench.fire(VIEW_TIMER)
    assert effects[0] == Observe(TimedOut(0, 1))
    assert votes(effects) == [(SKIP, 1, b"")]


def test_skips_once(bench: Bench) -> None:
    bench.fire(VIEW_TIMER)
    assert bench.handle(TimerFired(VIEW_TIMER), at=20_000) == []


@pytest.mark.parametrize("timer", [VIEW_TIMER, RESEND_TIMER])
def test_a_timer_that_was_set_anew_while_it_fired_is_set_again(bench: Bench, timer: str) -> None:
    """A driver hands over what fired behind the event that set it anew; or the clock was put back."""
    bench.handle(bench.notarized(BLOCK_A, 1), at=DUE_MS)
    at_ms = bench.timers[timer]
    assert bench.handle(TimerFired(timer), at=DUE_MS) == [SetTimer(timer, GENESIS_MS + at_ms)]
    assert bench.fire(timer) != []


def test_a_view_that_its_block_ended_after_the_timer_counts_as_slow() -> None:
    """Else one node that answers late would keep everyone from finalizing, with timeouts that never grow."""
    bench = Bench()
    bench.handle(bench.context(1), at=DUE_MS)
    for view in range(1, 5):
        assert bench.engine.timeout.current_ms == TIMEOUT_MS
        bench.fire(VIEW_TIMER)
        bench.handle(bench.notarized(BLOCK_A, view))
    assert bench.engine.timeout.current_ms == 2 * TIMEOUT_MS


def test_after_a_restart_with_both_certificates_nothing_is_finalized(bench: Bench) -> None:
    """Carried on by a skip that it had not signed, then the notarization, a restart, and only then the block."""
    entered = bench.on(BLOCK_A, 1, ready=False)
    fresh = Bench()
    fresh.handle(replace(entered, skipped=True), at=DUE_MS)
    assert votes(fresh.handle(fresh.notarized(BLOCK_A, 1), at=DUE_MS)) == []


# -- finalizing --------------------------------------------------------------------------------------------------


def test_finalizes_what_it_leaves_by_its_notarization(bench: Bench) -> None:
    assert votes(bench.handle(bench.notarized(BLOCK_A, 1))) == [(FINALIZE, 1, BLOCK_A)]


def test_finalizes_nothing_after_its_timer_fired(bench: Bench) -> None:
    bench.fire(VIEW_TIMER)
    assert votes(bench.handle(bench.notarized(BLOCK_A, 1))) == []


def test_finalizes_nothing_that_is_not_at_hand_until_it_is(bench: Bench) -> None:
    assert votes(bench.handle(bench.notarized(BLOCK_A, 1, held=False, ready=False))) == []
    assert votes(bench.handle(bench.notarized(BLOCK_A, 1))) == [(FINALIZE, 1, BLOCK_A)]
    assert votes(bench.handle(bench.notarized(BLOCK_A, 1))) == []


def test_finalizes_nothing_of_a_view_long_left(bench: Bench) -> None:
    bench.handle(bench.notarized(BLOCK_A, 1, held=False, ready=False))
    bench.handle(bench.skipped(2))
    assert votes(bench.handle(bench.notarized(BLOCK_A, 1))) == []


def test_finalizes_nothing_of_another_epoch(bench: Bench) -> None:
    bench.handle(bench.context(epoch=1))
    assert votes(bench.handle(bench.notarized(BLOCK_A, 1))) == []


def test_finalizes_nothing_on_entering_by_a_skip(bench: Bench) -> None:
    assert votes(bench.handle(bench.skipped(1))) == []


def test_finalizes_nothing_of_a_view_left_by_a_skip_when_its_notarization_comes(bench: Bench) -> None:
    bench.handle(bench.skipped(1))
    effects = bench.handle(bench.notarized(BLOCK_A, 1))
    assert votes(effects) == []


def test_finalizes_also_a_view_that_its_notarization_carries_it_over(bench: Bench) -> None:
    """It was never in that view, and will never skip it (a decision of docs/protocol.md)."""
    assert votes(bench.handle(bench.notarized(BLOCK_A, 5))) == [(FINALIZE, 5, BLOCK_A)]


# -- counting ----------------------------------------------------------------------------------------------------


def test_a_quorum_is_handed_to_the_manager_and_acted_on_when_it_is_durable(bench: Bench) -> None:
    for signer in (1, 2):
        assert bench.handle(VoteMessage(bench.vote(signer, SKIP))) == []
    [assembled] = told(bench.handle(VoteMessage(bench.vote(3, SKIP))), Assembled)
    assert assembled.certificate == bench.certificate(SKIP, 1, b"", (1, 2, 3))
    assert bench.engine.view == (0, 1)


def test_its_own_vote_counts(bench: Bench) -> None:
    for signer in (1, 2):
        bench.handle(VoteMessage(bench.vote(signer, NOTARIZE, 1, BLOCK_A)))
    [assembled] = told(bench.handle(bench.verdict(), at=DUE_MS), Assembled)
    assert assembled.certificate == bench.certificate(NOTARIZE, 1, BLOCK_A, (0, 1, 2))


def test_alone_it_is_a_quorum() -> None:
    bench = Bench(nodes=1)
    bench.handle(bench.context())
    assert [each.certificate.kind for each in told(bench.fire(VIEW_TIMER), Assembled)] == [SKIP]


def test_a_vote_that_does_not_hold_is_observed_and_changes_nothing(bench: Bench) -> None:
    forged = bench.vote(1, NOTARIZE, 1, BLOCK_A)
    forged = type(forged)(0, 1, NOTARIZE, BLOCK_B, forged.signer, forged.signature)
    assert bench.handle(VoteMessage(forged)) == [Observe(Refused(Code.VOTE_SIGNATURE))]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((PROPOSE, BLOCK_A), (PROPOSE, BLOCK_B)),
        ((NOTARIZE, BLOCK_A), (NOTARIZE, BLOCK_B)),
        ((FINALIZE, BLOCK_A), (SKIP, b"")),
    ],
)
def test_two_votes_that_conflict_are_offered_as_evidence(
    bench: Bench, first: tuple[int, bytes], second: tuple[int, bytes]
) -> None:
    pair = [bench.vote(2, kind, 1, block) for kind, block in (first, second)]
    assert bench.handle(VoteMessage(pair[0])) == []
    assert offered(bench.handle(VoteMessage(pair[1])), Equivocation) == [Equivocation(*pair)]


def test_evidence_is_offered_even_if_the_vote_completes_a_certificate(bench: Bench) -> None:
    pair = bench.vote(3, FINALIZE, 1, BLOCK_A), bench.vote(3, SKIP)
    for vote in (pair[0], bench.vote(1, SKIP), bench.vote(2, SKIP)):
        bench.handle(VoteMessage(vote))
    effects = bench.handle(VoteMessage(pair[1]))
    assert told(effects, Assembled)
    assert offered(effects, Equivocation) == [Equivocation(*pair)]


# -- repeating itself --------------------------------------------------------------------------------------------


def test_says_again_what_it_said_in_this_view_and_how_it_left_the_last(bench: Bench) -> None:
    bench.handle(bench.verdict(), at=DUE_MS)
    bench.handle(bench.notarized(BLOCK_A, 1), at=DUE_MS)
    bench.handle(bench.verdict(BLOCK_B, view=2, base_view=1, tick=2), at=20_000)
    bench.fire(VIEW_TIMER)
    effects = bench.fire(RESEND_TIMER)
    [stand] = told(effects, Retransmit)
    assert (stand.epoch, stand.view) == (0, 2)
    assert [(vote.kind, vote.view) for vote in stand.votes] == [(NOTARIZE, 2), (SKIP, 2), (FINALIZE, 1)]
    assert RESEND_TIMER in bench.timers


def test_says_where_it_stands_even_when_it_has_said_nothing(bench: Bench) -> None:
    assert told(bench.fire(RESEND_TIMER), Retransmit) == [Retransmit(0, 1, ())]


def test_says_it_again_after_a_restart_and_signs_nothing(bench: Bench) -> None:
    bench.handle(bench.verdict(), at=DUE_MS)
    bench.restart()
    assert votes(bench.handle(bench.context())) == []
    [stand] = told(bench.fire(RESEND_TIMER), Retransmit)
    assert [(vote.kind, vote.block) for vote in stand.votes] == [(NOTARIZE, BLOCK_A)]


# -- heartbeats and clients --------------------------------------------------------------------------------------


def test_one_heartbeat_a_slot() -> None:
    bench = Bench(slot_duration_ms=20_000)
    beats = []
    for view, block in enumerate((BLOCK_A, BLOCK_B, BLOCK_C), 1):
        beats += heartbeats(bench.handle(bench.on(block, view)))
    assert [(beat.slot, beat.block) for beat in beats] == [(0, BLOCK_A), (1, BLOCK_B)]
    assert heartbeats(bench.handle(bench.context(view=9, closing=True))) == []


def test_a_client_is_answered() -> None:
    bench = Bench()
    assert bench.handle(Submitted(7, bench.anchor())) == [Respond(7, b"", Code.MEMPOOL_CLOSED)]
    bench.handle(bench.context())
    [answer] = [each for each in bench.handle(Submitted(8, bench.anchor())) if isinstance(each, Respond)]
    assert (answer.request, answer.refusal) == (8, None)
