"""Devices: what their distributions say, and that a node's writes share one disk."""

from __future__ import annotations

from random import Random

import pytest

from sim.cpus import CPUS
from sim.disktime import DISKS, DiskKind, DiskTime, quantile_table
from tests.runs import passed, scenario


@pytest.mark.parametrize("name", sorted(DISKS))
def test_a_disk_has_the_quantiles_that_it_names(name: str) -> None:
    kind = DISKS[name]
    table = quantile_table(kind.quantiles)
    assert len(table) == 1_024 and table == sorted(table)
    assert all(table[quantile] == value for quantile, value in kind.quantiles)


def test_cores_are_ordered() -> None:
    assert CPUS["server"][:4] < CPUS["pi5"][:4] < CPUS["pi4"][:4]


def test_writes_wait_for_each_other() -> None:
    time = DiskTime(DiskKind(((0, 1_000), (1_023, 1_000)), 0, (0, 0), ""), Random(1))
    assert [time.durable_us(0), time.durable_us(0), time.durable_us(500)] == [1_000, 2_000, 2_500]
    assert time.durable_us(100_000) == 1_000


def test_a_card_stalls_as_often_and_as_long_as_it_says() -> None:
    kind = DISKS["microsd"]._replace(stall_ppm=10_000)
    time, now, stalls = DiskTime(kind, Random(3)), 0, 0
    for _ in range(20_000):
        took = time.durable_us(now)
        now += took
        stalls += 2_000_000 <= took < 7_000_000
    assert 150 <= stalls <= 250


@pytest.mark.parametrize("disk", sorted(DISKS))
def test_a_network_of_such_disks_goes_on(disk: str) -> None:
    run = passed(scenario(nodes=4, duration="10m", disk=disk))
    waits = run.document["waits"]
    assert waits["stores"] > 0 and waits["disk_ms"] > 0
    slow = passed(scenario(nodes=4, duration="10m", cpu="server", disk=disk)).document["waits"]
    assert slow["cpu_ms"] < waits["cpu_ms"]
