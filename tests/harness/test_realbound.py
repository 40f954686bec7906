"""How long real nodes may take: timeouts and waits between tries to connect, each as it may have grown."""

from __future__ import annotations

import pytest

from harness.proxied.realbound import bound_ms, redial_ms, section_ms
from sim.faults.delay import Delay
from sim.faults.fault import Fault
from sim.faults.loss import Loss
from sim.faults.partition import Partition
from sim.faults.reset import Reset
from sim.scenario import Scenario

FAST = {"block_interval_ms": 1_000, "slot_duration_ms": 3_000, "slot_timeout_ms": 1_000, "max_clock_drift_ms": 400}


def scenario(calm_ms: int, *faults: Fault) -> Scenario:
    return Scenario(
        name="bound", nodes=4, parameters=FAST, profile="lan", calm=calm_ms, duration="9h", fault=list(faults)
    )


@pytest.mark.parametrize(
    ("disturbed_ms", "factor"), [(3_999, 1), (4_000, 2), (11_999, 2), (12_000, 4), (3_600_000, 16)]
)
def test_timeouts_grow_while_something_is_disturbed(disturbed_ms: int, factor: int) -> None:
    quiet = section_ms(scenario(60_000))
    late = 3_600_000
    assert section_ms(scenario(late + disturbed_ms, Loss(percent=1, at=late))) == quiet + 2 * (factor - 1) * 1_000
    assert 3_000 <= quiet < 3_100, "two timeouts and an interval, and what messages take on a LAN"


@pytest.mark.parametrize(
    ("fault", "allowed_ms"),
    [
        (Delay(nodes=[1], most_ms=900), 0),
        (Loss(percent=5), 0),
        (Partition(groups=[[0, 1], [2, 3]], at=1_000, until=20_999), 0),
        (Partition(groups=[[0, 1], [2, 3]], at=1_000, until=21_000), 30_000),
        (Partition(groups=[[0, 1], [2, 3]], at=39_000), 0),
        (Partition(groups=[[0, 1], [2, 3]], at=19_000), 12_400),
        (Reset(node=2, at=39_000), 2_400),
        (Reset(node=2, at=1_000), 30_000),
        (Loss(percent=20, at=39_000), 12_400),
    ],
    ids=lambda each: each.kind if isinstance(each, Fault) else None,
)
def test_connections_are_dialed_again_where_faults_can_end_them(fault: Fault, allowed_ms: int) -> None:
    assert redial_ms(scenario(40_000, fault)) == allowed_ms


def test_processes_may_be_as_slow_in_each_view_as_they_were_before() -> None:
    quiet = scenario(40_000, Loss(percent=1, at=30_000))
    assert bound_ms(quiet, 700) == section_ms(quiet) + 1_400
