"""Arithmetic over samples: percentiles that a sample can bear, means, the Gini coefficient, cumulative curves."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

MAX_CURVE_POINTS = 200


class Spread(Struct, frozen=True, kw_only=True):
    """How `n` samples spread, in milliseconds.

    A percentile is by nearest rank, and None where the sample is too small to have one: at least one sample must lie
    beyond it, so p50 takes 2 samples, p90 takes 10 and p99 takes 100. `mean` and `max` are None of no samples.
    """

    n: int
    mean: float | None
    p50: float | None
    p90: float | None
    p99: float | None
    max: float | None


def spread(samples_us: Sequence[int]) -> Spread:
    """The spread of samples in microseconds."""
    ordered = sorted(samples_us)
    count = len(ordered)

    def percentile(per_mille: int) -> float | None:
        if count * (1_000 - per_mille) < 1_000:
            return None
        return ordered[-(-count * per_mille // 1_000) - 1] / 1_000

    return Spread(
        n=count,
        mean=round(sum(ordered) / 1_000 / count, 3) if count else None,
        p50=percentile(500),
        p90=percentile(900),
        p99=percentile(990),
        max=ordered[-1] / 1_000 if count else None,
    )


def median(samples: Sequence[float]) -> float | None:
    """The median by nearest rank; None of no samples."""
    return sorted(samples)[(len(samples) - 1) // 2] if samples else None


def mean_deviation(values: Sequence[int]) -> tuple[float | None, float | None]:
    """Mean and population standard deviation; None of no values."""
    if not values:
        return None, None
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / len(values)
    return round(mean, 3), round(variance**0.5, 3)


def gini(counts: Sequence[int]) -> float:
    """The Gini coefficient: 0 when all have the same, toward 1 when one has everything."""
    ordered = sorted(counts)
    total = sum(ordered)
    if not total:
        return 0.0
    weighted = sum(rank * count for rank, count in enumerate(ordered, 1))
    return round(2 * weighted / (len(ordered) * total) - (len(ordered) + 1) / len(ordered), 4)


def gini_floor(slots: Sequence[int], nodes: int) -> float:
    """The Gini coefficient of leader slots, each with its number of blocks, dealt out over `nodes` nodes evenly.

    A slot has one leader, so a short run is uneven however fair its schedule is. The longest go first, each to whoever
    has the fewest blocks.
    """
    made = [0] * nodes
    for blocks in sorted(slots, reverse=True):
        made[made.index(min(made))] += blocks
    return gini(made)


def cumulative(samples_us: Sequence[int]) -> list[list[float]]:
    """The cumulative curve of samples in microseconds: at most 200 points of [ms, share of samples up to there]."""
    ordered = sorted(samples_us)
    count = len(ordered)
    ranks = sorted({count * step // MAX_CURVE_POINTS for step in range(1, MAX_CURVE_POINTS + 1)} - {0})
    return [[ordered[rank - 1] / 1_000, round(rank / count, 5)] for rank in ranks]
