"""`lucid sim calibrate`: the simulator against real nodes, on one scenario."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from lucid.cli.failure import Failure
from lucid.interrupts import terminable

if TYPE_CHECKING:
    from harness.calibration.calibrate import Calibration
    from harness.calibration.comparison import ComparisonLine

MISSED = 10
"""Exit status when a figure is not within its bound."""
NODES = 4
MOST_NODES = 16


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid sim calibrate`."""
    calibrate = actions.add_parser(
        "calibrate",
        help="compare the simulator with real nodes",
        description="Measure what an event, a message and a write cost on this machine. Then run a scenario on real "
        "nodes here, whose connections a proxy delays as the scenario's links do, and on simulated nodes at these "
        "costs; measure both from their journals, and compare.",
        epilog="Exit status: 0 every figure is within its bound, 10 one is not, 2 bad usage, 130 interrupted.",
    )
    calibrate.add_argument("scenario", nargs="?", default="default", metavar="SCENARIO", help="a name or a TOML file")
    calibrate.add_argument("--nodes", type=int, default=NODES, metavar="N", help=f"number of nodes (default {NODES})")
    calibrate.add_argument(
        "--minutes", type=float, default=2.0, metavar="M", help="how long the real nodes are measured (default 2)"
    )
    calibrate.add_argument(
        "--set", action="append", default=[], dest="settings", metavar="KEY=VALUE", help="a key of the scenario"
    )
    calibrate.add_argument("--json", type=Path, metavar="FILE", help="write what was found as JSON")
    calibrate.set_defaults(run=run_calibrate)


def run_calibrate(options: argparse.Namespace) -> int:
    """`lucid sim calibrate`."""
    import msgspec

    from harness.calibration.calibrate import calibrate
    from harness.calibration.meter import MeterError
    from harness.calibration.real import RealError
    from sim.scenariochecks import changed
    from sim.scenarioerror import ScenarioError
    from sim.scenariofile import load
    from sim.words import with_words

    if not 2 <= options.nodes <= MOST_NODES:
        raise Failure(f"--nodes must be within 2..{MOST_NODES}: each is two processes on this machine")
    if not 0.1 <= options.minutes <= 24 * 60:
        raise Failure("--minutes must be within 0.1..1440")
    duration_ms = round(options.minutes * 60_000)
    try:
        scenario = with_words(
            changed(load(options.scenario), nodes=options.nodes, duration=duration_ms), options.settings
        )
        with TemporaryDirectory(prefix="lucid-calibrate-") as folder, terminable():
            found = calibrate(scenario, Path(folder), lambda words: print(f"lucid: {words}", file=sys.stderr))
    except (ScenarioError, RealError, MeterError) as error:
        raise Failure(str(error)) from None
    print(table(found), end="", flush=True)  # what took minutes is told before a file that cannot be written ends it
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    return 0 if found.holds else MISSED


def table(found: Calibration) -> str:
    """What was run, and the table, in Markdown."""
    loaded = "loaded" if max(found.load) > found.cores else "not loaded"
    head = (
        f"{found.nodes} nodes, `{found.profile}`, a block every {found.block_interval_ms / 1000:g} s, an anchor every "
        f"{found.anchor_every_ms:,} ms, {found.seconds / 60:g} min; {found.machine}, {found.cores} cores, {loaded} "
        f"(load {found.load[0]:g} before, {found.load[1]:g} after); "
        f"{found.real.blocks} real blocks, {len(found.simulated)} simulated runs; lucid {found.lucid}, "
        f"Python {found.python}"
    )
    rows = [
        "| figure | real | simulated | least to largest | difference | allowed | |",
        "|---|---|---|---|---|---|---|",
    ]
    costs = ["| what this machine took | samples | p50 | p90 | p99 |", "|---|---|---|---|---|"]
    for what, took in found.costs.items():
        costs.append(f"| {what} | {took.n:,} | " + " | ".join(map(_took, (took.p50, took.p90, took.p99))) + " |")
    return "\n".join([head, "", *rows, *map(_row, found.lines), "", *costs]) + "\n"


def _row(line: ComparisonLine) -> str:
    held = {True: "held", False: "missed", None: "too few samples"}[line.holds]
    difference = "-" if line.difference is None else f"{line.difference:+.1%}"
    figures = f"{_figure(line.real, line.unit)} | {_figure(line.simulated, line.unit)}"
    between = f"{_figure(line.least, '')} to {_figure(line.largest, line.unit)}"
    return f"| {line.figure} | {figures} | {between} | {difference} | {line.allowed} | {held} |"


def _took(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f} ms"


def _figure(value: float | None, unit: str) -> str:
    return "-" if value is None else f"{value:,.1f} {unit}".rstrip()
