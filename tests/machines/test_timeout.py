"""The view timeout: doubles after four slow views in a row, or without finality; halves after twelve in time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lucid.machines.engine.timeout import Timeout

BASE_MS = 5_000


def after(*runs: tuple[bool, int]) -> Timeout:
    """A timeout after runs of views that were all skipped, or all had a block, which became final after its run."""
    timeout = Timeout(BASE_MS)
    for skipped, length in runs:
        for _ in range(length):
            timeout.view_ended(skipped)
        if not skipped:
            timeout.became_final()
    return timeout


def test_starts_at_the_base() -> None:
    assert Timeout(BASE_MS).current_ms == Timeout(BASE_MS).base_ms == BASE_MS


def test_doubles_with_every_four_skips_in_a_row() -> None:
    factors = [after((True, length)).current_ms // BASE_MS for length in range(21)]
    assert factors == [1] * 4 + [2] * 4 + [4] * 4 + [8] * 4 + [16] * 5


def test_a_block_interrupts_a_run_of_skips() -> None:
    assert after((True, 3), (False, 1), (True, 3)).current_ms == BASE_MS
    assert after((True, 3), (False, 1), (True, 4)).current_ms == 2 * BASE_MS


def test_falls_one_step_with_every_twelve_blocks_in_a_row() -> None:
    factors = [after((True, 16), (False, length)).current_ms // BASE_MS for length in range(61)]
    assert factors == [16] * 12 + [8] * 12 + [4] * 12 + [2] * 12 + [1] * 13
    assert type(after((True, 16), (False, 60)).current_ms) is int


def test_a_skip_interrupts_a_run_of_blocks() -> None:
    assert after((True, 4), (False, 11), (True, 1), (False, 11)).current_ms == 2 * BASE_MS
    assert after((True, 4), (False, 11), (True, 1), (False, 12)).current_ms == BASE_MS


def test_blocks_that_make_nothing_final_do_not_interrupt_slow_views() -> None:
    """A leader that votes late, one that is down and a bare quorum: each node has a view in time in every round, and
    nobody more than three slow ones in a row, while nothing is final for as long as it lasts."""
    timeout = Timeout(BASE_MS)
    for doubled in (2, 4, 8, 16, 16):
        for slow in (True, True, True, False, False, True):
            timeout.view_ended(slow)
        assert timeout.current_ms == doubled * BASE_MS
    timeout = Timeout(BASE_MS)
    for _ in range(40):
        for slow in (True, True, True, False, False):
            timeout.view_ended(slow)
        timeout.became_final()
    assert timeout.current_ms == BASE_MS, "three of five leaders are down, and that is no reason to wait for longer"


def test_who_is_slow_alone_waits_for_longer_though_others_make_blocks_final() -> None:
    timeout = Timeout(BASE_MS)
    for _ in range(4):
        timeout.view_ended(True)
        timeout.became_final()
    assert timeout.current_ms == 2 * BASE_MS


@given(st.lists(st.sampled_from("sbf"), max_size=200))
def test_follows_its_rule(events: list[str]) -> None:
    """Against the rule read off the whole history each time: runs are cut wherever the factor changed."""
    timeout, factor, run = Timeout(BASE_MS), 1, ""
    for event in events:
        if event == "f":
            timeout.became_final()
        else:
            timeout.view_ended(event == "s")
        run += event
        views = run.replace("f", "")
        if event == "s" and (views.endswith("ssss") or run.rpartition("f")[2].count("s") == 4):
            factor, run = min(16, 2 * factor), ""
        elif event == "b" and views.endswith("b" * 12):
            # Slow views since something was final count on, but in no row.
            factor, run = max(1, factor // 2), run.rpartition("f")[2].replace("b", "") + "|"
        assert timeout.current_ms == BASE_MS * factor
