"""When things of a view are due: the proposal, the vote for it, the view's end. Ticks of 10 s, a timeout of 5 s."""

from __future__ import annotations

from typing import Any

import pytest

from lucid.machines.effects import Verdict
from lucid.machines.engine.timeout import Timeout
from lucid.machines.engine.viewclock import ViewClock
from lucid.machines.engine.viewstate import ViewState
from tests.machines.bench import BLOCK_A, GENESIS_MS, Bench

TICK_MS, TIMEOUT_MS, DRIFT_MS = 10_000, 5_000, 2_000

BENCH = Bench()
CLOCK = ViewClock(BENCH.genesis, Timeout(TIMEOUT_MS))


def state(entered_ms: int, entry_view: int = 0, **changes: Any) -> ViewState:
    """A view that was entered on genesis, so many milliseconds after it."""
    context = BENCH.context(**changes)
    return ViewState(context=context, entered_ms=GENESIS_MS + entered_ms, entry_view=entry_view, by_skip=False)


def verdict(tick: int, base_view: int = 0, fresh: bool = True) -> Verdict:
    """A valid proposal."""
    return Verdict(epoch=0, view=1, block=BLOCK_A, base_view=base_view, tick=tick, fresh=fresh)


@pytest.mark.parametrize(("entered_ms", "begun_ms"), [(0, TICK_MS), (TICK_MS, TICK_MS), (TICK_MS + 1, TICK_MS + 1)])
def test_a_view_ends_a_timeout_after_it_is_entered_and_its_proposal_is_due(entered_ms: int, begun_ms: int) -> None:
    assert CLOCK.due_ms(BENCH.context()) == GENESIS_MS + TICK_MS
    assert CLOCK.ends_ms(state(entered_ms)) == GENESIS_MS + begun_ms + TIMEOUT_MS


def test_a_closing_block_is_due_at_once() -> None:
    assert CLOCK.due_ms(BENCH.context(closing=True)) == 0
    assert CLOCK.ends_ms(state(3, closing=True)) == GENESIS_MS + 3 + TIMEOUT_MS


def test_a_block_may_be_voted_for_from_its_tick_on_less_the_drift() -> None:
    assert CLOCK.from_ms(verdict(7), state(0)) == GENESIS_MS + 7 * TICK_MS - DRIFT_MS
    assert CLOCK.from_ms(verdict(7, fresh=False), state(0)) == 0, "one that comes again was in time once"


def test_one_on_an_older_parent_waits_for_half_of_the_timeout() -> None:
    half_ms = GENESIS_MS + TICK_MS + TIMEOUT_MS // 2
    assert CLOCK.from_ms(verdict(1, base_view=2), state(0, entry_view=3)) == half_ms
    assert CLOCK.from_ms(verdict(1, base_view=3), state(0, entry_view=3)) < half_ms
    late = CLOCK.from_ms(verdict(9, base_view=2), state(0, entry_view=3))
    assert late == GENESIS_MS + 9 * TICK_MS - DRIFT_MS, "and no less than any other"


def test_a_block_of_long_ago_is_too_late() -> None:
    last_ms = GENESIS_MS + 7 * TICK_MS + TICK_MS + TIMEOUT_MS + DRIFT_MS
    assert not CLOCK.too_late(last_ms, verdict(7)) and CLOCK.too_late(last_ms + 1, verdict(7))
    assert not CLOCK.too_late(last_ms + 1, verdict(7, fresh=False))


def test_a_longer_timeout_moves_what_hangs_on_it() -> None:
    timeout = Timeout(TIMEOUT_MS)
    clock = ViewClock(BENCH.genesis, timeout)
    before = clock.ends_ms(state(0))
    for _ in range(4):
        timeout.view_ended(True)
    assert clock.ends_ms(state(0)) == before + TIMEOUT_MS
