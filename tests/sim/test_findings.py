"""Where simulated runs showed that the machines fall short of what they should do; strict, so that a fix shows."""

from __future__ import annotations

import pytest

from lucid.machines.effects import Finalised, Started, Store, Submitted
from tests.machines.bench import Bench
from tests.runs import FAST, passed, scenario

MANY = 50


def accepted(bench: Bench) -> tuple[bytes, ...]:
    """Hand an engine many anchors, all of which it accepts; returns their ids."""
    bench.handle(Started())
    bench.handle(bench.context())
    for number in range(MANY):
        bench.handle(Submitted(number, bench.anchor(f"session {number}")))
    return tuple(key for key, _ in bench.store.scan("pending"))


@pytest.mark.xfail(strict=True, reason="every final transaction of its own costs an engine a sync of its disk, in turn")
def test_a_final_block_costs_an_engine_one_write_however_many_of_its_transactions_it_holds() -> None:
    """On a card that takes 50 ms a sync, the next vote waits seconds for a block of a hundred anchors."""
    bench = Bench()
    transactions = accepted(bench)
    assert len(transactions) == MANY
    effects = bench.handle(Finalised(0, 1, 1, transactions))
    assert sum(isinstance(effect, Store) for effect in effects) == 1


@pytest.mark.xfail(strict=True, reason="the same, seen from outside: votes queue behind thousands of deletions")
def test_a_slow_disk_and_many_anchors_do_not_skip_views() -> None:
    parameters = {**FAST, "slot_timeout_ms": 1_500}
    done = passed(scenario("lan", nodes=4, duration="60s", disk_us=20_000, anchor_every_ms=8, parameters=parameters))
    assert done.document["missed_views"] == 0
