"""`lucid bench`: ratios measured in one run."""

from __future__ import annotations

import argparse
import json
import sys


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid bench sim`."""
    bench = commands.add_parser("bench", help="measure ratios", description="Measure ratios, in one run each.")
    subjects = bench.add_subparsers(metavar="SUBJECT", required=True)
    sim = subjects.add_parser(
        "sim",
        help="the simulator against a bare SimPy broadcast",
        description="The simulator against a bare SimPy broadcast, long and large runs, and how cost grows.",
        epilog="Exit status: 0 all reached, 1 a figure was missed.",
    )
    sim.add_argument(
        "--only", metavar="PART", choices=("speed", "day", "hundred", "growth", "finality"), action="append"
    )
    sim.add_argument("--json", action="store_true", help="print JSON")
    sim.set_defaults(run=run_bench)


def run_bench(options: argparse.Namespace) -> int:
    """`lucid bench sim`."""
    from harness.bench import bench_sim

    rows = bench_sim(options.only, lambda line: print(line, file=sys.stderr, flush=True))
    if options.json:
        print(json.dumps([row._asdict() for row in rows]))
    else:
        for row in rows:
            print(row.line())
    return 0 if all(row.reached for row in rows) else 1
