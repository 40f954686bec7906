"""The vote log: whatever happens between views, crashes and restarts, no two votes that leave it conflict."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lucid.chain.certificates import assemble
from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, SKIP, Vote, conflict
from lucid.ledger.memory import MemoryStore
from lucid.machines.votelog import VOTES_TABLE, VoteLog, lost_log, new_log
from tests.builders import digest

KEY = digest("key")
BLOCKS = [digest("a"), digest("b")]
EVERYTHING = {PROPOSE, NOTARIZE, SKIP, FINALIZE}


def make_vote(epoch: int, view: int, kind: int, block: bytes = BLOCKS[0]) -> Vote:
    """A vote whose signature nobody looks at."""
    return Vote(epoch, view, kind, b"" if kind == SKIP else block, KEY, bytes(64))


def new_store() -> MemoryStore:
    """A store with the log of a key that never signed."""
    store = MemoryStore()
    store.write([new_log()])
    return store


def may_sign(log: VoteLog, epoch: int, view: int) -> set[int]:
    """The kinds of vote that a log still allows in a view."""
    return {kind for kind in (PROPOSE, NOTARIZE, SKIP, FINALIZE) if log.may_sign(epoch, view, kind)}


def test_a_new_key_may_sign_anything_in_the_view_that_it_is_in() -> None:
    log = VoteLog(new_store())
    assert (log.missing, log.view) == (False, (0, 0))
    log.enter((0, 1))
    assert may_sign(log, 0, 1) == EVERYTHING


@pytest.mark.parametrize(
    ("signed", "left"),
    [
        (PROPOSE, {NOTARIZE, SKIP, FINALIZE}),
        (NOTARIZE, {PROPOSE, SKIP, FINALIZE}),
        (SKIP, {PROPOSE}),
        (FINALIZE, {PROPOSE, NOTARIZE}),
    ],
)
def test_what_a_vote_still_allows(signed: int, left: set[int]) -> None:
    log = VoteLog(new_store())
    log.enter((0, 1))
    log.record(make_vote(0, 1, signed))
    assert may_sign(log, 0, 1) == left


def test_the_view_before_may_only_be_finalized_and_older_ones_are_closed() -> None:
    log = VoteLog(new_store())
    log.enter((0, 5))
    assert may_sign(log, 0, 4) == {FINALIZE}
    assert may_sign(log, 0, 3) == set()
    assert may_sign(log, 1, 5) == set()


def test_whoever_comes_back_to_the_view_before_notarizes_and_skips_there_and_not_in_its_own() -> None:
    log = VoteLog(new_store())
    for view in (4, 5):
        log.enter((0, view))
    log.come_back((0, 4))
    assert may_sign(log, 0, 4) == {NOTARIZE, SKIP, FINALIZE}
    assert may_sign(log, 0, 5) == {PROPOSE, FINALIZE}
    for older in ((0, 3), (1, 4)):
        log.come_back(older)
        assert may_sign(log, *older) == set()
    log.enter((0, 6))
    assert may_sign(log, 0, 5) == {FINALIZE}


def test_whoever_comes_back_never_contradicts_what_it_signed_there() -> None:
    for signed, left in ((NOTARIZE, {SKIP, FINALIZE}), (SKIP, set()), (FINALIZE, {NOTARIZE})):
        log = VoteLog(new_store())
        log.enter((0, 4))
        log.record(make_vote(0, 4, signed))
        log.enter((0, 5))
        log.come_back((0, 4))
        assert may_sign(log, 0, 4) == left


def test_the_certificate_of_a_finalize_is_kept_for_whoever_comes_back_to_its_view() -> None:
    certificate = assemble(0, 4, NOTARIZE, BLOCKS[0], {0: bytes(64)}, 4)
    for signed, kept, owed in ((FINALIZE, True, certificate), (FINALIZE, False, None), (SKIP, True, None)):
        store = new_store()
        log = VoteLog(store)
        log.enter((0, 4))
        log.record(make_vote(0, 4, signed))
        if kept:
            log.keep(certificate)
        store.write(log.writes())
        for each in (log, VoteLog(store)):
            assert each.owed((0, 4)) == owed
            assert each.owed((0, 5)) is None


def test_the_finality_that_opened_the_epoch_is_kept_for_whoever_comes_back_to_the_one_before() -> None:
    store = new_store()
    log = VoteLog(store)
    log.enter((1, 7))
    log.record(make_vote(1, 7, NOTARIZE))
    finality = assemble(1, 6, FINALIZE, BLOCKS[0], {0: bytes(64)}, 4)
    log.arrive((2, 1), finality)
    assert len(log.writes()) == 2, "with what is signed next"
    log.keep(finality)
    log.record(make_vote(2, 1, SKIP))
    store.write(log.writes())
    assert len(log.writes()) == 1, "once"
    back = VoteLog(store)
    back.arrive((1, 1), assemble(0, 6, FINALIZE, BLOCKS[1], {0: bytes(64)}, 4))
    for each in (log, back):
        assert [each.owed(view) for view in ((0, 7), (1, 1), (1, 8), (2, 1))] == [None, finality, finality, None]


def test_a_view_that_a_notarization_or_a_skip_opens_needs_nothing_kept() -> None:
    for kind in (NOTARIZE, SKIP):
        log = VoteLog(new_store())
        log.arrive((0, 4), assemble(0, 3, kind, BLOCKS[0] if kind == NOTARIZE else b"", {0: bytes(64)}, 4))
        assert len(log.writes()) == 1 and log.owed((0, 3)) is None


def test_whoever_arrives_in_a_later_view_enters_it_and_else_comes_back() -> None:
    log = VoteLog(new_store())
    log.arrive((0, 5), None)
    assert log.view == (0, 5) and may_sign(log, 0, 5) == EVERYTHING
    log.arrive((0, 5), None)
    assert log.view == (0, 5) and may_sign(log, 0, 5) == EVERYTHING, "it starts again in the view that it was in"
    log.arrive((0, 4), None)
    assert log.view == (0, 5) and may_sign(log, 0, 4) == {NOTARIZE, SKIP, FINALIZE}
    log.arrive((0, 6), None)
    assert log.view == (0, 6) and may_sign(log, 0, 5) == {FINALIZE}


def test_a_view_is_never_entered_again() -> None:
    log = VoteLog(new_store())
    log.enter((1, 1))
    for view in [(0, 9), (1, 1)]:
        with pytest.raises(AssertionError, match="never returns"):
            log.enter(view)


def test_what_may_not_be_signed_can_not_be_recorded() -> None:
    log = VoteLog(new_store())
    log.enter((0, 1))
    log.record(make_vote(0, 1, SKIP))
    with pytest.raises(AssertionError, match="never twice"):
        log.record(make_vote(0, 1, NOTARIZE))


def test_keeps_the_votes_of_two_views() -> None:
    log = VoteLog(new_store())
    for view in (1, 2, 3):
        log.enter((0, view))
        log.record(make_vote(0, view, NOTARIZE))
    assert [len(log.votes((0, view))) for view in (1, 2, 3)] == [0, 1, 1]
    log.enter((1, 1))
    assert [len(log.votes((0, view))) for view in (2, 3)] == [0, 0]


def lose(store: MemoryStore, epoch: int = 3, now: int = 1_000) -> VoteLog:
    """The log of a key that finds it missing in the middle of an epoch."""
    log = VoteLog(store)
    assert log.missing
    assert log.open_epoch(epoch, 0, now, witnessed=False), "to be made durable"
    assert not log.missing
    store.write(log.writes())
    return log


def test_what_others_may_lack_is_this_views_votes_and_how_the_last_one_was_left() -> None:
    log = VoteLog(new_store())
    log.enter((0, 1))
    own = [make_vote(0, 1, kind) for kind in (PROPOSE, NOTARIZE, FINALIZE)]
    for vote in own:
        log.record(vote)
    assert log.outstanding((0, 1)) == tuple(own[1:]), "the proposal has a way of its own"
    log.enter((0, 2))
    assert log.outstanding((0, 2)) == (own[2],)
    skip = make_vote(0, 2, SKIP)
    log.record(skip)
    assert log.outstanding((0, 2)) == (skip, own[2])
    log.enter((0, 3))
    assert log.outstanding((0, 3)) == (), "a view that was left by a skip needs nothing"


def test_a_log_that_is_there_bars_nothing() -> None:
    log = VoteLog(new_store())
    assert not log.open_epoch(3, 0, 1_000, witnessed=False)
    log.enter((3, 1))
    assert may_sign(log, 3, 1) == EVERYTHING


def test_a_missing_log_bars_the_epoch_even_across_a_restart() -> None:
    store = MemoryStore()
    for log in (lose(store), VoteLog(store)):
        assert not log.open_epoch(3, 0, 9_000, witnessed=True)
        assert all(may_sign(log, 3, view) == set() for view in range(1, 10))


@pytest.mark.parametrize(
    ("opened_ms", "witnessed", "free"),
    [(0, True, False), (1_000, True, False), (1_001, True, True), (1_001, False, False)],
)
def test_an_epoch_that_opens_after_the_loss_frees_the_key(opened_ms: int, witnessed: bool, free: bool) -> None:
    store = MemoryStore()
    lose(store)
    log = VoteLog(store)
    assert log.open_epoch(4, opened_ms, 9_000, witnessed)
    if free:
        log.enter((4, 1))
    assert may_sign(log, 4, 1) == (EVERYTHING if free else set())
    store.write(log.writes())
    assert (VoteLog(store).lost_ms == 0) is free


def test_a_loss_at_the_beginning_of_time_is_a_loss() -> None:
    log = VoteLog(MemoryStore())
    log.open_epoch(0, 0, 0, witnessed=False)
    assert log.lost_ms and may_sign(log, 0, 1) == set()


def test_a_missing_log_begins_before_all_views() -> None:
    log = VoteLog(MemoryStore())
    assert (log.view, log.last, log.lost_ms) == ((0, 0), (0, 0), 0)
    assert log.open_epoch(0, 0, 0, witnessed=False)
    assert (log.view, log.lost_ms) == ((1, 0), 1), "no time is no loss, so the loss is at 1 at the earliest"


def test_a_log_that_is_read_has_the_votes_and_the_last_of_them() -> None:
    store = new_store()
    log = VoteLog(store)
    log.enter((2, 7))
    own = [make_vote(2, 7, kind) for kind in (NOTARIZE, SKIP)]
    for vote in own:
        log.record(vote)
    assert log.last == (2, 7)
    log.enter((2, 8))
    store.write(log.writes())
    again = VoteLog(store)
    assert (again.view, again.last, again.all_votes()) == ((2, 8), (2, 7), own)
    again.record(make_vote(2, 8, NOTARIZE))
    again.enter((3, 1))
    assert again.last == (2, 8)
    assert VoteLog(new_store()).last == (0, 0), "without votes it is the view that it was written in"


def test_what_carries_its_signature_can_be_its_vote_or_cannot() -> None:
    log = VoteLog(new_store())
    log.enter((0, 1))
    log.record(make_vote(0, 1, NOTARIZE))
    log.enter((0, 4))
    log.record(make_vote(0, 4, NOTARIZE))
    assert log.knows(0, 4, NOTARIZE, BLOCKS[0])
    assert not log.knows(0, 4, NOTARIZE, BLOCKS[1])
    assert not log.knows(0, 4, SKIP, b""), "of the view that it is in it knows all"
    assert not log.knows(0, 3, SKIP, b""), "and of the one before"
    assert log.knows(0, 2, SKIP, b"") and log.knows(0, 1, NOTARIZE, BLOCKS[1]), "what is closed is forgotten"
    log.enter((0, 9))
    assert log.knows(0, 4, NOTARIZE, BLOCKS[1])
    assert not log.knows(0, 5, SKIP, b""), "above its last vote it signed nothing"
    assert not log.knows(1, 1, SKIP, b"")
    log.enter((1, 1))
    assert log.knows(0, 4, SKIP, b"") and not log.knows(0, 5, SKIP, b"")


def test_a_log_that_was_lost_cannot_tell_what_it_signed() -> None:
    log = VoteLog(MemoryStore())
    assert log.knows(0, 1, SKIP, b"")
    log.open_epoch(0, 0, 1_000, witnessed=False)
    assert not log.missing and log.knows(5, 1, SKIP, b"")


@pytest.mark.parametrize(("now", "lost_ms"), [(0, 1), (1, 1), (2, 2), (1_000, 1_000)])
def test_a_log_that_is_given_up_closes_its_epoch_and_those_before(now: int, lost_ms: int) -> None:
    store = new_store()
    log = VoteLog(store)
    log.enter((3, 2))
    log.record(make_vote(3, 2, NOTARIZE))
    store.write(log.writes())
    store.write([lost_log(3, now)])
    lost = VoteLog(store)
    assert (lost.view, lost.lost_ms, lost.missing, lost.all_votes()) == ((4, 0), lost_ms, False, [])
    assert all(may_sign(lost, epoch, 2) == set() for epoch in (2, 3))
    assert lost.knows(3, 2, NOTARIZE, BLOCKS[1])


class Validator(RuleBasedStateMachine):
    """A validator that signs whatever its log allows, enters later views, crashes, and starts again."""

    def __init__(self) -> None:
        super().__init__()
        self.store = new_store()
        self.log = VoteLog(self.store)
        self.left: list[Vote] = []

    @rule(epoch=st.integers(0, 1), ahead=st.integers(1, 3))
    def enter(self, epoch: int, ahead: int) -> None:
        old = self.log.view
        self.log.enter((old[0] + epoch, ahead) if epoch else (old[0], old[1] + ahead))

    @rule(
        kind=st.sampled_from([PROPOSE, NOTARIZE, SKIP, FINALIZE]),
        block=st.sampled_from(BLOCKS),
        epoch=st.integers(-1, 1),
        view=st.integers(-3, 3),
        crash=st.booleans(),
    )
    def sign(self, kind: int, block: bytes, epoch: int, view: int, crash: bool) -> None:
        epoch, view = self.log.view[0] + epoch, self.log.view[1] + view
        if epoch < 0 or view < 1 or not self.log.may_sign(epoch, view, kind):
            return
        vote = make_vote(epoch, view, kind, block)
        self.log.record(vote)
        if crash:
            self.log = VoteLog(self.store)
            return
        self.store.write(self.log.writes())
        self.left.append(vote)

    @rule()
    def restart(self) -> None:
        self.log = VoteLog(self.store)
        epoch, view = self.log.view
        for each in [(epoch, view - 1), (epoch, view)]:
            left = {vote.kind: vote for vote in self.left if (vote.epoch, vote.view) == each}
            assert self.log.votes(each) == left

    @invariant()
    def no_two_votes_conflict(self) -> None:
        for first, second in combinations(self.left[-8:], 2):
            assert not conflict(first, second)
            assert (first.epoch, first.view, first.kind) != (second.epoch, second.view, second.kind)

    @invariant()
    def never_notarizes_after_its_own_skip(self) -> None:
        skipped = set()
        for vote in self.left:
            if vote.kind == SKIP:
                skipped.add((vote.epoch, vote.view))
            assert vote.kind != NOTARIZE or (vote.epoch, vote.view) not in skipped

    @invariant()
    def one_row_holds_it(self) -> None:
        assert len(list(self.store.scan(VOTES_TABLE))) == 1


TestValidator = Validator.TestCase
TestValidator.settings = settings(max_examples=60, stateful_step_count=40)
