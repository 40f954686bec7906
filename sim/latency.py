"""How far apart nodes are: one-way latency between places, measured or assumed, and its jitter."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

PPM = 1_000_000


class Profile(NamedTuple):
    """How far apart nodes are: one-way microseconds within a place, jitter by quantile in ppm of the median.

    `measured` profiles take the medians between places from `data/regions.csv`.
    """

    name: str
    local_us: int
    jitter: tuple[tuple[int, int], ...]
    measured: bool
    about: str


# (quantile in 1/1024, factor in ppm), joined by straight lines. Only the medians between regions are measured; the
# shapes are assumptions: a tight body with a long tail, as paths with queues have.
STEADY = ((0, 970_000), (512, 1_000_000), (922, 1_060_000), (1_014, 1_300_000), (1_023, 2_500_000))
PROFILES = {
    profile.name: profile
    for profile in (
        Profile("regions", 500, STEADY, True, "measured medians between ten cloud regions (Azure), assumed jitter"),
        Profile("lan", 200, STEADY, False, "one switched network: 0.2 ms one way, assumed"),
        Profile(
            "tor",
            600_000,
            ((0, 400_000), (512, PPM), (922, 2_500_000), (1_014, 6_000_000), (1_023, 10_000_000)),
            False,
            "onion services: 0.6 s one way at the median, seconds in the tail, assumed",
        ),
        Profile("constant", 100_000, ((0, PPM), (1_023, PPM)), False, "exactly 100 ms one way"),
    )
}


def region_names() -> list[str]:
    """The regions of the shipped table, in its order."""
    return list(_regions())


def base_latency_us(profile: Profile, places: Sequence[str], access_us: Sequence[int] = ()) -> list[list[int]]:
    """One-way microseconds between nodes at `places`: half of the measured round trip, or the local figure.

    `access_us` is each node's own delay on top, at both ends; none by default.
    """
    table = _regions() if profile.measured else {}
    access = access_us or [0] * len(places)
    return [
        [
            (profile.local_us if a == b or not profile.measured else table[a][b] * 500) + access[one] + access[other]
            for other, b in enumerate(places)
        ]
        for one, a in enumerate(places)
    ]


@cache
def _regions() -> dict[str, dict[str, int]]:
    text = resources.files("sim").joinpath("data/regions.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {
        row["region"]: {name: int(value) for name, value in row.items() if name != "region" and value} for row in rows
    }
