"""The view timeout: doubles after four slow views in a row up to sixteen times, halves after twelve in time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lucid.machines.engine.timeout import Timeout

BASE_MS = 5_000


def after(*runs: tuple[bool, int]) -> Timeout:
    """A timeout after runs of views that were all skipped, or all had a block."""
    timeout = Timeout(BASE_MS)
    for skipped, length in runs:
        for _ in range(length):
            timeout.view_ended(skipped)
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


@given(st.lists(st.booleans(), max_size=200))
def test_follows_its_rule(views: list[bool]) -> None:
    """Against the rule read off the whole history each time: runs are cut wherever the factor changed."""
    timeout, factor, run = Timeout(BASE_MS), 1, ""
    for skipped in views:
        timeout.view_ended(skipped)
        run += "s" if skipped else "b"
        if run.endswith("ssss"):
            factor, run = min(16, 2 * factor), ""
        elif run.endswith("b" * 12):
            factor, run = max(1, factor // 2), ""
        assert timeout.current_ms == BASE_MS * factor
