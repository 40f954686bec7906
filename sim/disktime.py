"""How long a node's disk takes for a durable write, by kind of disk."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import NamedTuple

STEPS = 1_024
"""Quantiles of a distribution are in 1/1024, joined by straight lines."""


class DiskKind(NamedTuple):
    """Microseconds until a write is durable, by quantile (in 1/1024); how often it stalls instead, and for how long."""

    quantiles: tuple[tuple[int, int], ...]
    stall_ppm: int
    stall_us: tuple[int, int]
    about: str


DISKS = {
    "microsd": DiskKind(
        ((0, 4_000), (512, 11_000), (922, 35_000), (1_014, 150_000), (1_023, 800_000)),
        20,
        (2_000_000, 7_000_000),
        "microSD card: fsync 11 ms at the median, rare stalls of 2 to 7 s; the shape between is assumed",
    ),
    "sata": DiskKind(
        ((0, 600), (512, 2_000), (922, 4_000), (1_014, 12_000), (1_023, 60_000)),
        0,
        (0, 0),
        "SATA SSD: fsync 2 ms at the median; the shape is assumed",
    ),
    "nvme": DiskKind(
        ((0, 534), (512, 783), (922, 2_180), (1_014, 2_376), (1_023, 15_800)),
        0,
        (0, 0),
        "SSD as in IBM's fio example for etcd (2019): p50 0.78 ms, p90 2.2 ms, p99 2.4 ms, at most 15.8 ms",
    ),
}
"""Disks by name; `disk = "constant"` takes `disk_us` for every write instead."""


class DiskTime:
    """How long the writes of one node take: its machines share one device, whose writes wait for each other."""

    def __init__(self, kind: DiskKind, random: Random) -> None:
        self._table = quantile_table(kind.quantiles)
        self._kind = kind
        self._random = random
        self._free_us = 0

    def durable_us(self, now_us: int) -> int:
        """Microseconds from now until a write that is handed over now is durable."""
        kind = self._kind
        took_us = self._table[self._random.getrandbits(10)]
        if kind.stall_ppm and self._random.randrange(1_000_000) < kind.stall_ppm:
            took_us = self._random.randrange(*kind.stall_us)
        self._free_us = max(self._free_us, now_us) + took_us
        return self._free_us - now_us


def quantile_table(points: Sequence[tuple[int, int]]) -> list[int]:
    """Values by 1024-quantile, by straight lines between (quantile, value) points."""
    table: list[int] = []
    for (low, first), (high, second) in pairwise(points):
        table += [first + (second - first) * (place - low) // (high - low) for place in range(low, high)]
    return [*table, points[-1][1]]
