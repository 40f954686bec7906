"""Runs a scenario by real nodes and by simulated ones, and compares them."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct, structs

from harness.calibration.comparison import ComparisonLine, compare
from harness.calibration.costs import costs_of, summary
from harness.calibration.delays import delays, links_us, steady
from harness.calibration.meter import MeterReading, measured
from harness.calibration.real import LEAST_BLOCKS, WARM_HEIGHT, RealError, real
from harness.calibration.writes import WriteMeter
from harness.run import run
from lucid.chain.parameters import Parameters, paced
from lucid.provenance import provenance
from sim.costs import Costs
from sim.samples import Spread
from sim.scenario import Scenario
from sim.scenariochecks import changed
from sim.scenarioerror import ScenarioError

INTERVAL_MS = 2_000
"""The block interval, unless the scenario has one: what a short run has many blocks of."""
SEEDS = 6
"""Simulated runs: their range is what repeated runs differ by."""
COSTS_S = 60.0
"""How long the costs are measured at least, unless the scenario is shorter."""
COSTS_SHARE = 10
"""Of a long calibration they are measured for one in so many minutes."""


class Calibration(Struct, frozen=True, kw_only=True):
    """A calibration: what was run, on what machine and how loaded it was, and the table."""

    scenario: str
    nodes: int
    profile: str
    block_interval_ms: int
    anchor_every_ms: int
    seconds: float
    costs: dict[str, Spread]
    """What this machine took: a `write`, each event that a machine of a node told the other, each kind of message."""
    machine: str
    cores: int
    load: tuple[float, float]
    """Processes that wanted a core, over the last minute, before and after; more than `cores` is a loaded machine."""
    lucid: str
    commit: str
    python: str
    real: MeterReading
    simulated: list[MeterReading]
    lines: list[ComparisonLine]

    @property
    def holds(self) -> bool:
        """Whether every figure is within its bound."""
        return all(each.holds for each in self.lines)


def like_here(scenario: Scenario) -> Scenario:
    """The scenario as a devnet can run it: a chain paced as a devnet is, and no core or disk but this machine's.

    Anchors come evenly spaced: as a Poisson process, one run of some minutes has a tenth more of them than the next.
    What the scenario says of parameters stays. Raises `ScenarioError` for what no devnet can do.
    """
    if scenario.fault:
        raise ScenarioError("a calibration has no faults", "fault")
    others = scenario.links or scenario.queuing_ms or scenario.pools or scenario.rules or scenario.limits
    if scenario.transport != "reliable" or others:
        raise ScenarioError("a calibration has reliable transport, and no links, queuing, pools, rules or limits")
    pace = structs.asdict(paced(scenario.parameters.get("block_interval_ms", INTERVAL_MS)))
    named = ("block_interval_ms", "slot_duration_ms", "slot_timeout_ms", "max_clock_drift_ms")
    parameters = {name: pace[name] for name in named} | scenario.parameters
    return changed(scenario, parameters=parameters, anchor_arrivals="fixed")


def calibrate(scenario: Scenario, folder: Path, say: Callable[[str], None]) -> Calibration:
    """Measure this machine's costs, run a scenario for its duration by real nodes, then by simulated ones of several
    seeds that have these costs; `folder` is for all.

    Raises `ScenarioError`, `RealError` and `MeterError`.
    """
    here = like_here(scenario)
    seconds = here.duration_ms / 1_000
    before = os.getloadavg()[0]
    costs = measured_costs(here, folder, min(seconds, max(COSTS_S, seconds / COSTS_SHARE)), say)
    (folder / "real").mkdir()
    stretch = real(here, folder / "real", seconds, delays(here), say)
    after = os.getloadavg()[0]
    say("reading the journals")
    found = measured(_of_managers(folder / "real"), stretch.above)
    interval_ms = Parameters(**here.parameters).block_interval_ms
    # The first blocks are not measured, nor is the last.
    whole_ms = here.duration_ms + (WARM_HEIGHT + LEAST_BLOCKS) * interval_ms
    again = [
        _simulated(changed(here, seed=here.seed + each, duration=whole_ms), costs, folder, say) for each in range(SEEDS)
    ]
    made = provenance()
    return Calibration(
        scenario=here.name,
        nodes=here.nodes,
        profile=here.profile,
        block_interval_ms=interval_ms,
        anchor_every_ms=here.anchor_every_ms,
        seconds=seconds,
        costs=summary(costs),
        machine=platform.machine(),
        cores=os.cpu_count() or 1,
        load=(round(before, 2), round(after, 2)),
        lucid=made.lucid,
        commit=made.commit,
        python=made.python,
        real=found,
        simulated=again,
        lines=compare(found, again),
    )


def measured_costs(scenario: Scenario, folder: Path, seconds: float, say: Callable[[str], None]) -> Costs:
    """What this machine takes, by a devnet of its own under the scenario's load, whose links have no jitter.

    It runs beside nothing else of the calibration: what it measures is all that the simulator is told of this machine.
    """
    (folder / "costs").mkdir()
    base_us = links_us(scenario)
    say("measuring what this machine takes for an event, a message and a write")
    meter = WriteMeter(folder / "costs")
    stretch = real(scenario, folder / "costs", seconds, steady(scenario), say, beside=meter)
    if not meter.took_us:
        raise RealError("how long a write takes could not be measured")
    journals = sorted((folder / "costs").rglob("*.journal"))
    return costs_of(journals, meter.took_us, lambda sender, receiver: base_us[sender][receiver], stretch.from_ms)


def _of_managers(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*-manager-*.journal"))


def _simulated(scenario: Scenario, costs: Costs, folder: Path, say: Callable[[str], None]) -> MeterReading:
    say(f"simulating with seed {scenario.seed}")
    place = folder / f"simulated-{scenario.seed}"
    run(scenario, place, costs=costs, trace_file=False, journals=True)
    return measured(_of_managers(place), WARM_HEIGHT)
