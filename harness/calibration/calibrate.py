"""Runs a scenario by real nodes and by simulated ones, and compares them."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct, structs

from harness.calibration.comparison import Line, compare
from harness.calibration.meter import Measured, measured
from harness.calibration.real import LEAST_BLOCKS, WARM_HEIGHT, durable_us, real
from harness.run import run
from lucid.chain.genesis import Parameters, paced
from lucid.provenance import provenance
from sim.scenario import Scenario, changed
from sim.wrong import ScenarioError

INTERVAL_MS = 2_000
"""The block interval, unless the scenario has one: what a short run has many blocks of."""
SEEDS = 6
"""Simulated runs: their range is what repeated runs differ by."""


class Calibration(Struct, frozen=True, kw_only=True):
    """A calibration: what was run, on what machine and how loaded it was, and the table."""

    scenario: str
    nodes: int
    profile: str
    block_interval_ms: int
    anchor_every_ms: int
    seconds: float
    disk_us: int
    cpu: str
    machine: str
    cores: int
    load: tuple[float, float]
    """Processes that wanted a core, over the last minute, before and after; more than `cores` is a loaded machine."""
    lucid: str
    commit: str
    python: str
    real: Measured
    simulated: list[Measured]
    lines: list[Line]

    @property
    def holds(self) -> bool:
        """Whether every figure is within its bound."""
        return all(each.holds for each in self.lines)


def like_here(scenario: Scenario, folder: Path) -> Scenario:
    """The scenario with what this machine is like: a server's core, its disk, and a chain paced as a devnet is.

    Anchors come evenly spaced: as a Poisson process, one run of some minutes has a tenth more of them than the next.
    What the scenario says of the disk or of parameters stays. Raises `ScenarioError` for what no devnet can do.
    """
    if scenario.fault:
        raise ScenarioError("a calibration has no faults", "fault")
    if scenario.transport != "reliable" or scenario.links or scenario.pools or scenario.rules or scenario.limits:
        raise ScenarioError("a calibration has reliable transport, and no links, pools, rules or limits")
    pace = structs.asdict(paced(scenario.parameters.get("block_interval_ms", INTERVAL_MS)))
    named = ("block_interval_ms", "slot_duration_ms", "slot_timeout_ms", "max_clock_drift_ms")
    parameters = {name: pace[name] for name in named} | scenario.parameters
    plain = scenario.disk == "constant" and scenario.disk_us == Scenario().disk_us
    disk_us = durable_us(folder) if plain else scenario.disk_us
    return changed(scenario, parameters=parameters, cpu="server", disk_us=disk_us, anchor_arrivals="fixed")


def calibrate(scenario: Scenario, folder: Path, say: Callable[[str], None]) -> Calibration:
    """Run a scenario for its duration by real nodes, then by simulated ones of several seeds; `folder` is for both.

    Raises `ScenarioError`, `RealError` and `MeterError`.
    """
    here = like_here(scenario, folder)
    seconds = here.duration_ms / 1_000
    before = os.getloadavg()[0]
    (folder / "real").mkdir()
    found = real(here, folder / "real", seconds, say)
    after = os.getloadavg()[0]
    interval_ms = Parameters(**here.parameters).block_interval_ms
    # The first blocks are not measured, nor is the last.
    whole_ms = here.duration_ms + (WARM_HEIGHT + LEAST_BLOCKS) * interval_ms
    again = [_simulated(changed(here, seed=here.seed + each, duration=whole_ms), folder, say) for each in range(SEEDS)]
    made = provenance()
    return Calibration(
        scenario=here.name,
        nodes=here.nodes,
        profile=here.profile,
        block_interval_ms=interval_ms,
        anchor_every_ms=here.anchor_every_ms,
        seconds=seconds,
        disk_us=here.disk_us,
        cpu=here.cpu,
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


def _simulated(scenario: Scenario, folder: Path, say: Callable[[str], None]) -> Measured:
    say(f"simulating with seed {scenario.seed}")
    place = folder / f"simulated-{scenario.seed}"
    run(scenario, place, trace_file=False, journals=True)
    return measured(sorted((place / "journals").glob("*-manager-*.journal")), WARM_HEIGHT)
