"""Members' uptimes and live scores, down to the last floor."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid.poot.credits import PPM, Tally, empty_tally, live_score, standing_of, uptime_ppm


def test_nobody_has_worked_yet() -> None:
    assert empty_tally(2) == Tally((0, 0), (0, 0), (0, 0), (1_000_000, 1_000_000), (0, 0))
    assert empty_tally(0) == Tally((), (), (), (), ())


@pytest.mark.parametrize(
    ("beacons", "held", "uptime"),
    [
        (0, 0, 0),
        (1, 0, 0),
        (0, 5, 0),
        (5, 5, 1_000_000),
        (1, 2, 500_000),
        (1, 3, 333_333),
        (2, 3, 666_666),
        (1, 5_040, 198),
        (1_007, 5_040, 199_801),
        (1_008, 5_040, 200_000),
        (6, 5, 1_000_000),
    ],
)
def test_uptime(beacons: int, held: int, uptime: int) -> None:
    assert uptime_ppm(beacons, held) == uptime


@pytest.mark.parametrize(
    ("credits", "uptime", "penalty", "score"),
    [
        (0, 1_000_000, 1_000_000, 0),
        (100, 1_000_000, 1_000_000, 100),
        (100, 500_000, 1_000_000, 50),
        (100, 500_000, 500_000, 25),
        (3, 500_000, 1_000_000, 1),
        # Floored twice: 3 * 0.9 is 2.7, so 2; 2 * 0.75 is 1.5, so 1. Floored once, 2.025 would be 2.
        (3, 900_000, 750_000, 1),
        (100, 0, 1_000_000, 0),
        (100, 1_000_000, 0, 0),
    ],
)
def test_live_score(credits: int, uptime: int, penalty: int, score: int) -> None:
    assert live_score(credits, uptime, penalty) == score


@given(st.integers(0, 2**60), st.integers(0, PPM), st.integers(0, PPM))
def test_live_score_against_exact_fractions(credits: int, uptime: int, penalty: int) -> None:
    weighed = floor(credits * Fraction(uptime, PPM))
    assert live_score(credits, uptime, penalty) == floor(weighed * Fraction(penalty, PPM)) <= credits


@given(st.integers(0, 2**40), st.integers(1, 2**40))
def test_uptime_against_exact_fractions(beacons: int, held: int) -> None:
    assert uptime_ppm(beacons, held) == min(PPM, floor(Fraction(beacons, held) * PPM))


def test_a_member_s_standing_is_its_own() -> None:
    tally = Tally((7, 8), (1, 3), (4, 4), (PPM, PPM // 2), (0, 0))
    assert standing_of(tally, 0) == (250_000, 1) and standing_of(tally, 1) == (750_000, 3)
