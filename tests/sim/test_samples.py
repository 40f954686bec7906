"""Arithmetic over samples, against definitions spelled out by hand."""

from __future__ import annotations

from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.samples import MAX_CURVE_POINTS, cumulative, gini, gini_floor, mean_deviation, median, spread

samples = st.lists(st.integers(0, 10**9), max_size=300)


@given(samples)
def test_a_percentile_is_the_least_sample_that_so_many_do_not_exceed(values: list[int]) -> None:
    found = spread(values)
    assert found.n == len(values)
    assert found.max == (max(values) / 1_000 if values else None)
    for got, per in ((found.p50, 500), (found.p90, 900), (found.p99, 990)):
        if got is None:
            continue
        least = next(value for value in sorted(values) if sum(v <= value for v in values) * 1_000 >= per * len(values))
        assert got == least / 1_000


@pytest.mark.parametrize(("name", "least"), [("p50", 2), ("p90", 10), ("p99", 100)])
def test_a_percentile_needs_a_sample_beyond_it(name: str, least: int) -> None:
    assert getattr(spread([7_000] * (least - 1)), name) is None
    assert getattr(spread([7_000] * least), name) == 7.0


def test_p99_is_never_the_maximum_by_lack_of_samples() -> None:
    for count in range(100, 200):
        found = spread([1_000 * value for value in range(count)])
        assert found.p99 is not None and found.max is not None
        assert found.p99 < found.max


@given(samples)
def test_mean_and_deviation(values: list[int]) -> None:
    mean, deviation = mean_deviation(values)
    if not values:
        assert mean is deviation is None
        return
    assert mean == pytest.approx(fmean(values), abs=1e-2)
    assert deviation == pytest.approx(pstdev(values), rel=1e-6, abs=1e-2)
    assert spread(values).mean == pytest.approx(fmean(values) / 1_000, abs=1e-2)


@given(samples)
def test_the_median_splits_its_sample(values: list[int]) -> None:
    found = median(values)
    if found is None:
        assert not values
        return
    assert found in values
    assert sum(value < found for value in values) <= len(values) / 2
    assert sum(value > found for value in values) <= len(values) / 2


@given(st.lists(st.integers(0, 500), min_size=1, max_size=40))
def test_gini_is_half_the_relative_mean_difference(counts: list[int]) -> None:
    differences = sum(abs(a - b) for a in counts for b in counts)
    expected = differences / (2 * len(counts) * sum(counts)) if sum(counts) else 0.0
    assert gini(counts) == pytest.approx(expected, abs=1e-4)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_no_deal_of_slots_is_more_even_than_the_floor(slots_by_node: list[int]) -> None:
    assert gini_floor([1] * sum(slots_by_node), len(slots_by_node)) <= gini(slots_by_node)


def test_a_slot_that_was_cut_short_counts_for_what_it_has() -> None:
    assert gini_floor([12, 12, 12, 3], 4) == gini([12, 12, 12, 3])
    assert gini_floor([12, 6, 6], 2) == 0.0


def test_five_slots_over_ten_nodes_are_uneven_at_best() -> None:
    assert gini_floor([6] * 5, 10) == 0.5
    assert gini_floor([6] * 20, 10) == 0.0
    assert gini_floor([], 10) == 0.0


@given(samples)
def test_a_curve_rises_to_one_in_few_points(values: list[int]) -> None:
    points = cumulative(values)
    assert len(points) <= MAX_CURVE_POINTS
    assert points == sorted(points)
    assert bool(points) == bool(values)
    for at_ms, share in points:
        reached = sum(value / 1_000 <= at_ms for value in values) / len(values)
        assert 0 < share <= reached + 1e-5
    if values:
        assert points[-1] == [max(values) / 1_000, 1.0]
