"""Halts, recoveries and waits, by hand and against a definition spelled out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sim.halts import Halts

SECOND = 1_000_000


def halts(*finals: tuple[int, int]) -> Halts:
    found = Halts()
    for at_us, tick in finals:
        found.on_final(at_us, tick)
    return found


def test_the_longest_halt_may_be_the_first_the_last_or_the_whole_run() -> None:
    assert halts().longest_us(60) == (60, 0)
    assert halts((50, 1)).longest_us(60) == (50, 0)
    assert halts((10, 1), (20, 2)).longest_us(60) == (40, 20)
    assert halts((10, 1), (40, 2), (50, 3)).longest_us(60) == (30, 10)


def test_recovery_is_the_next_height_or_none() -> None:
    found = halts((10, 1), (40, 2))
    assert [found.next_final_us(at) for at in (0, 10, 11, 40, 41)] == [10, 0, 29, 0, None]


def test_every_tick_of_a_halt_counts() -> None:
    """Ten ticks of a second; blocks of ticks 1 and 9 only: those who came between waited for the latter."""
    waits, waiting = halts((SECOND + 300_000, 1), (9 * SECOND + 300_000, 9)).waits_us(SECOND, 10 * SECOND)
    assert [each / SECOND for each in waits] == [0.3, 7.3, 6.3, 5.3, 4.3, 3.3, 2.3, 1.3, 0.3, 0.0]
    assert waiting == 1, "the last tick has come due and waits"


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4)), max_size=20), st.integers(0, 60))
def test_waits_by_definition(steps: list[tuple[int, int]], end: int) -> None:
    finals, at, tick = [], 0, 0
    for later, skipped in steps:
        tick += skipped
        at = max(at + later, tick)
        if at <= end:
            finals.append((at, tick))
    waits, waiting = halts(*finals).waits_us(1, end)
    by_hand = []
    for due in range(1, end + 1):
        served = [at for at, tick in finals if tick >= due]
        by_hand.append((max(0, served[0] - due), True) if served else (end - due, False))
    assert list(waits) == [wait for wait, _ in by_hand]
    assert waiting == sum(not served for _, served in by_hand)
