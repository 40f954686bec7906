"""One scenario in the simulator and against real nodes: what the proxy does when, and that both come to one verdict."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from harness.invariants import ANCHORS
from harness.proxied.conform import Proxy, conform
from harness.proxied.linkfaults import LinkFaults
from harness.verdict import RunVerdict
from sim.faults.delay import Delay
from sim.faults.loss import Loss
from sim.faults.partition import Partition
from sim.faults.reset import Reset
from sim.scenario import Scenario

FAST = {"block_interval_ms": 1_000, "slot_duration_ms": 12_000, "slot_timeout_ms": 1_500, "max_clock_drift_ms": 400}
LINKS = Scenario(
    name="links", nodes=4, profile="lan", transport="reliable", anchor_every_ms=500, parameters=FAST, duration="1h",
    calm=7_000,
    fault=[
        Partition(groups=[[0, 1], [2, 3]], at=1_000, until=3_000), Loss(percent=20, at=3_000, until=6_000),
        Delay(nodes=[1], least_ms=100, most_ms=400, at=3_000, until=6_000), Reset(node=2, every_ms=900, at=4_000),
    ],
)  # fmt: skip


class Recorder:
    """Links that only keep what is done to them, and when."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.done: list[tuple[int, str, Any]] = []

    def part(self, pairs: Any) -> None:
        """See `Links`."""
        self._note("part", sorted(pairs))

    def reset(self, node: int) -> None:
        """See `Links`."""
        self._note("reset", node)

    def _note(self, what: str, which: Any) -> None:
        self.done.append((round((time.monotonic() - self.began) * 10) * 100, what, which))


def test_a_proxy_does_each_thing_in_its_time_and_lets_all_pass_in_the_calm() -> None:
    faults = [
        Partition(groups=[[0], [1]], at=200, until=600),
        Reset(node=1, every_ms=500, at=400),
        Loss(percent=9, at=0),
    ]
    proxy = Proxy(
        LinkFaults(Scenario(name="links", nodes=2, calm=1_000, duration="1h", fault=faults)), lambda *_: 0.25
    )  # fmt: skip
    assert proxy.delay(0, 1) == 0.25, "nothing is on before it is told to begin"
    links: Any = Recorder()
    disturbed = proxy.disturb(links)
    assert abs(time.time_ns() // 1_000_000 - disturbed.calm_ms) < 500
    assert disturbed.calm_ms - disturbed.began_ms >= 1_000
    ordered = [(what, which) for _, what, which in links.done]
    cut = [(0, 1), (1, 0)]
    assert ordered == [
        ("part", []), ("part", cut), ("part", cut), ("reset", 1), ("part", []), ("part", []), ("reset", 1),
        ("part", []), ("part", []),
    ]  # fmt: skip
    assert links.done[1][0] >= 200 and links.done[-1][0] >= 1_000
    assert proxy.delay(0, 1) == 0.25, "nor in the calm"


@pytest.mark.slow
def test_real_nodes_come_to_the_verdict_of_the_simulator(tmp_path: Path) -> None:
    said: list[str] = []
    found = conform(LINKS, tmp_path, said.append)
    assert found.agree and found.real.verdict is RunVerdict.PASS, found
    assert found.real.checks["agreement"] >= 4 and found.real.checks["no double vote"] > 10
    assert found.real.checks[ANCHORS] > 10, "half of the seconds had one"
    assert said[0] == "simulating" and said[-1] == "judging the journals"
