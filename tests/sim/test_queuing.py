"""Queues at links: exponential in the mean, alike for a while, each link and direction by itself."""

from __future__ import annotations

from random import Random
from statistics import correlation, fmean
from typing import Any

import pytest

from sim.clock import VirtualClock
from sim.queuing import EPISODE_US, MOST, Queuing
from tests.runs import passed, scenario

MEAN_US = 20_000
LINKS = [(one, other) for one in range(60) for other in range(60) if one != other]


def waits(queuing: Queuing, clock: VirtualClock, at_us: int) -> list[int]:
    """What a message waits on each link at a moment."""
    clock.run_until(at_us)
    return [queuing.wait_us(*link) for link in LINKS]


def test_a_link_stays_as_it_is_for_a_while_and_is_another_later() -> None:
    clock = VirtualClock()
    queuing = Queuing(clock, MEAN_US, Random(1))
    first, again, soon, later = (waits(queuing, clock, at_us) for at_us in (0, 0, 100_000, 20 * EPISODE_US))
    assert first == again, "messages of one moment wait alike"
    assert fmean(first) == pytest.approx(MEAN_US, rel=0.1) and max(first) <= MOST * MEAN_US
    assert sum(wait > MEAN_US for wait in first) / len(first) == pytest.approx(0.368, abs=0.03), "exponential"
    assert correlation(first, soon) > 0.8 and abs(correlation(first, later)) < 0.1
    there = dict(zip(LINKS, first, strict=True))
    assert abs(correlation(first, [there[other, one] for one, other in LINKS])) < 0.1, "each direction by itself"


@pytest.mark.parametrize("transport", ["reliable", "datagram"])
@pytest.mark.parametrize("fault", [[], [{"kind": "loss", "percent": 5.0}]])
def test_a_network_with_queues_goes_on_and_is_slower(transport: str, fault: list[dict[str, Any]]) -> None:
    keys: dict[str, Any] = {"nodes": 4, "duration": "3m", "profile": "constant", "transport": transport, "fault": fault}
    empty, queued = (passed(scenario(queuing_ms=mean_ms, **keys)).document for mean_ms in (0, 100))
    assert queued["finality_ms"]["p50"] > empty["finality_ms"]["p50"] + 50
    assert queued["trace_hash"] == passed(scenario(queuing_ms=100, **keys)).document["trace_hash"]
