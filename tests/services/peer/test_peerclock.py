"""By how much another clock is off at least: a slow network, a pause and a mended clock are none that is off."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lucid.services.peer.peerclock import PeerClock

MS = st.integers(-(10**8), 10**8)
WAIT_S = st.floats(0, 1_000)
HERE_MS = 1_700_000_000_000


@given(off_ms=MS, before_s=WAIT_S, after_s=WAIT_S, later_s=WAIT_S, step_ms=MS)
def test_it_is_never_more_than_it_is(
    off_ms: int, before_s: float, after_s: float, later_s: float, step_ms: int
) -> None:
    """The peer says its time somewhere between two moments; this node's clock may be put right afterwards."""
    start_s = 1_000.0
    came_s = start_s + before_s + after_s
    clock = PeerClock(HERE_MS + int(before_s * 1000) + off_ms, start_s, came_s)
    now_s = came_s + later_s
    found = clock.off_ms(HERE_MS + int((now_s - start_s) * 1000) + step_ms, now_s)
    truly_ms = off_ms - step_ms
    assert abs(found) <= abs(truly_ms) + 2 and found * truly_ms >= 0
    assert abs(found) >= abs(truly_ms) - (after_s + before_s) * 1000 - 2


def test_a_clock_that_is_off_is_seen() -> None:
    clock = PeerClock(1_000_060_000, 10.0, 10.25)
    assert clock.off_ms(1_000_000_100, 10.5) == 60_150, "it said so before 10.25"
    assert clock.off_ms(1_000_120_000, 10.5) == -59_500, "and after 10.0"
    assert clock.off_ms(1_000_060_400, 10.5) == 0
