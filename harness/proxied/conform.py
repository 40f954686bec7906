"""One scenario twice: simulated, and against real nodes behind a proxy with the same faults and seed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from harness.calibration.clients import Promise
from harness.calibration.delays import delays
from harness.calibration.real import RealError, RealNetwork, real_network
from harness.hunt.judge import SeedOutcome, judge
from harness.invariants import ANCHOR_BLOCKS
from harness.level import LEVEL_BLOCKS
from harness.proxied.linkfaults import LinkFaults
from harness.proxied.realbound import bound_ms
from harness.proxied.realverdict import Disturbance, RealVerdict, judge_journals
from harness.soak.links import Links
from lucid.chain.parameters import Parameters
from sim.scenario import Scenario

LOOK_S = 0.5
WATCHED = 8
"""Times the bound that nodes are watched for, so that one that comes late is told from one that never does."""


class BothVerdicts(NamedTuple):
    """What became of a scenario in the simulator, and with real nodes."""

    simulated: SeedOutcome
    real: RealVerdict

    @property
    def agree(self) -> bool:
        """Whether both came to the same verdict."""
        return self.simulated.verdict is self.real.verdict


def conform(scenario: Scenario, folder: Path, say: Callable[[str], None]) -> BothVerdicts:
    """Run a scenario in both ways; raises `ProxyError`, `RealError` and `JournalError`."""
    faults = LinkFaults(scenario)
    Parameters(**scenario.parameters)  # before real nodes are started
    say("simulating")
    simulated = judge(scenario)
    proxy = Proxy(faults, delays(scenario))
    with real_network(scenario, folder, proxy.delay, say) as network:
        say(f"disturbing real nodes for {faults.calm_ms / 1000:,.0f} s")
        disturbed = proxy.disturb(network.links)
        say("calm")
        _watch(network, WATCHED * bound_ms(scenario, 0) / 1000)
        network.clients.stop()
        network.clients.join()
        promises = list(network.clients.promised)
        _redeemed(network, promises)
        genesis = network.devnet.genesis
    say("judging the journals")
    journals = sorted(folder.rglob("*-manager-*.journal"))
    return BothVerdicts(simulated, judge_journals(journals, genesis, scenario, disturbed, promises))


class Proxy:
    """Does faults of links to real connections, from when it is told to begin."""

    def __init__(self, faults: LinkFaults, usual_s: Callable[[int, int], float]) -> None:
        self._faults = faults
        self._usual_s = usual_s
        self._began: float | None = None
        self._lock = threading.Lock()

    def delay(self, sender: int, receiver: int) -> float:
        """How many seconds what a node sends another one takes."""
        with self._lock:
            late_ms = 0 if self._began is None else self._faults.late_ms(self._now_ms(), sender)
            return self._usual_s(sender, receiver) + late_ms / 1000

    def disturb(self, links: Links) -> Disturbance:
        """Do all that happens up to the calm."""
        began_ms = time.time_ns() // 1_000_000
        self._began = time.monotonic()
        for turn in self._faults.turns():
            self._wait(turn.at_ms)
            links.part(turn.cut)
            for node in turn.reset:
                links.reset(node)
        self._wait(self._faults.calm_ms)
        links.part(())
        return Disturbance(began_ms, time.time_ns() // 1_000_000)

    def _now_ms(self) -> int:
        assert self._began is not None
        return int((time.monotonic() - self._began) * 1000)

    def _wait(self, until_ms: int) -> None:
        time.sleep(max(0, until_ms - self._now_ms()) / 1000)


def _watch(network: RealNetwork, within_s: float) -> None:
    """Wait until every node is above where any was, or the time is over: the journals say how it ended."""
    start = max(network.heights())
    deadline = time.monotonic() + within_s
    while min(network.heights()) <= start + 1 and time.monotonic() < deadline:
        time.sleep(LOOK_S)


def _redeemed(network: RealNetwork, promises: list[Promise]) -> None:
    """Wait until all that was accepted is final, or overdue: the blocks say which."""
    left, last = promises, max(network.heights()) + ANCHOR_BLOCKS + LEVEL_BLOCKS
    parameters = network.devnet.genesis.parameters
    patience_ms = (ANCHOR_BLOCKS + LEVEL_BLOCKS) * (parameters.block_interval_ms + parameters.slot_timeout_ms)
    deadline = time.monotonic() + patience_ms / 1000
    while left and min(network.heights()) < last and time.monotonic() < deadline:
        left = [each for each in left if not network.is_final(each)]
        time.sleep(LOOK_S)


__all__ = ["BothVerdicts", "Proxy", "RealError", "conform"]
