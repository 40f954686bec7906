"""Faults of a scenario as a proxy does them: who is cut when, what is late by the same seed, and what it cannot do."""

from __future__ import annotations

from typing import Any

import pytest

from harness.proxied.linkfaults import LinkFaults, LinkTurn, ProxyError
from sim.faults.crash import Crash
from sim.faults.delay import Delay
from sim.faults.loss import Loss
from sim.faults.partition import Partition
from sim.faults.reset import Reset
from sim.scenario import Scenario


def faults(*each: Any, seed: int = 7) -> LinkFaults:
    return LinkFaults(Scenario(name="links", nodes=4, seed=seed, calm=20_000, duration="1h", fault=list(each)))


def test_a_partition_cuts_both_ways_while_it_lasts_and_not_in_the_calm() -> None:
    found = faults(Partition(groups=[[0, 1], [2]], at=3_000, until=8_000), Partition(groups=[[0], [3]], at=19_000))
    apart = frozenset({(0, 2), (1, 2), (2, 0), (2, 1)})
    assert [found.cut(at) for at in (2_999, 3_000, 7_999, 8_000)] == [frozenset(), apart, apart, frozenset()]
    assert found.turns() == [
        LinkTurn(3_000, apart, ()), LinkTurn(8_000, frozenset(), ()),
        LinkTurn(19_000, frozenset({(0, 3), (3, 0)}), ()), LinkTurn(20_000, frozenset(), ()),
    ]  # fmt: skip


def test_resets_are_moments_of_their_own() -> None:
    found = faults(Reset(node=2, every_ms=400, at=1_000, until=2_000), Reset(node=1, every_ms=9_000, at=1_400))
    assert [(turn.at_ms, turn.reset) for turn in found.turns()] == [
        (1_000, (2,)), (1_400, (2, 1)), (1_800, (2,)), (2_000, ()), (10_400, (1,)), (19_400, (1,)), (20_000, ()),
    ]  # fmt: skip


def test_what_is_late_is_so_by_the_faults_that_are_on_and_by_the_seed() -> None:
    late = Delay(nodes=[1], least_ms=200, most_ms=900, at=1_000, until=5_000)
    found = faults(late)
    assert found.late_ms(999, 1) == found.late_ms(5_000, 1) == found.late_ms(2_000, 0) == 0
    drawn = [found.late_ms(2_000, 1) for _ in range(200)]
    assert min(drawn) >= 200 and max(drawn) < 900 and len(set(drawn)) > 100
    again, other = faults(late), faults(late, seed=8)
    assert [again.late_ms(2_000, 1) for _ in range(200)] == drawn != [other.late_ms(2_000, 1) for _ in range(200)]
    staying = faults(Delay(least_ms=5, most_ms=6, stays=True, at=0))
    assert staying.late_ms(25_000, 3) == 5


def test_what_is_lost_comes_late_as_tcp_sends_it_again() -> None:
    found = faults(Loss(percent=50, at=0))
    drawn = [found.late_ms(1_000, 0) for _ in range(2_000)]
    assert {0, 20, 220, 620} <= set(drawn) <= {0, 20, *(20 + 200 * (2**tries - 1) for tries in range(1, 9))}
    assert 0.45 < drawn.count(0) / len(drawn) < 0.55


def test_what_a_proxy_cannot_do_is_said() -> None:
    with pytest.raises(ProxyError, match=r"^a proxy cannot do crash; it knows delay, loss, partition, reset$"):
        faults(Crash(node=1, at=1_000), Loss(percent=1, at=0))
    with pytest.raises(ProxyError, match="has no calm"):
        LinkFaults(Scenario(name="links", nodes=4))
