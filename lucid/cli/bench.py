"""`lucid bench`: ratios measured in one run."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from lucid.cli.failure import Failure

if TYPE_CHECKING:
    from harness.bench.row import Row


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid bench sim`, `lucid bench services`, `lucid bench data` and `lucid bench pi`."""
    bench = commands.add_parser("bench", help="measure ratios", description="Measure ratios, in one run each.")
    subjects = bench.add_subparsers(metavar="SUBJECT", required=True)
    sim = subjects.add_parser(
        "sim",
        help="the simulator against a bare SimPy broadcast",
        description="The simulator against a bare SimPy broadcast, long and large runs, and how cost grows.",
        epilog="Exit status: 0 all reached, 1 a figure was missed.",
    )
    parts = ("speed", "finality", "growth", "hundred", "day", "week", "thousand", "question")
    _add_parts(sim, parts)
    sim.add_argument("--json", action="store_true", help="print JSON")
    sim.set_defaults(run=run_bench)
    services = subjects.add_parser(
        "services",
        help="real services against bare handlers and plain files",
        description="A devnet of four nodes against a bare Quart handler and plain files, and under load.",
        epilog="Exit status: 0 all reached, 1 a figure was missed.",
    )
    services_parts = ("start", "writes", "json", "chunks", "anchoring", "light", "pressure", "stop")
    _add_parts(services, services_parts)
    services.add_argument("--json", action="store_true", help="print JSON")
    services.set_defaults(run=run_bench_services)
    data = subjects.add_parser(
        "data",
        help="the data chain's store against bare loops",
        description="The data chain's store against bare loops over the same bytes, proofs of storage, a store of a "
        "million chunks, and what moves when a node is lost. Needs a gigabyte on the disk of the current folder.",
        epilog="Exit status: 0 all reached, 1 a figure was missed, 2 bad usage or no room.",
    )
    data_parts = ("store", "read", "scrub", "challenge", "proofs", "million", "lost")
    _add_parts(data, data_parts)
    data.add_argument("--json", action="store_true", help="print JSON")
    data.set_defaults(run=run_bench_data)
    device = subjects.add_parser(
        "pi",
        help="what this device takes for signatures and durable writes",
        description="Measure this machine's core and the disk of the current folder, beside what the simulator "
        "assumes of a Pi, and print the lines for its profiles (sim/cpus.py).",
        epilog="Exit status: 0 measured, 2 bad usage.",
    )
    device.add_argument("--writes", type=int, default=2_000, metavar="N", help="durable writes (default 2000)")
    device.add_argument("--json", action="store_true", help="print JSON")
    device.set_defaults(run=run_bench_device)


def _add_parts(parser: argparse.ArgumentParser, parts: tuple[str, ...]) -> None:
    parser.add_argument(
        "--only",
        metavar="PART",
        choices=parts,
        action="append",
        help=f"measure this part, of {', '.join(parts)}; may be given again (default: all)",
    )


def run_bench(options: argparse.Namespace) -> int:
    """`lucid bench sim`."""
    from harness.bench.simulator import bench_sim

    return _print(options, bench_sim(options.only, _say))


def run_bench_services(options: argparse.Namespace) -> int:
    """`lucid bench services`."""
    from harness.bench.services import bench_services

    return _print(options, bench_services(options.only, _say))


def run_bench_data(options: argparse.Namespace) -> int:
    """`lucid bench data`."""
    from harness.bench.data import bench_data

    try:
        return _print(options, bench_data(options.only, _say))
    except OSError as error:
        raise Failure(f"this folder's disk cannot be measured: {error.strerror or error}") from None


def run_bench_device(options: argparse.Namespace) -> int:
    """`lucid bench pi`."""
    from harness.bench import device

    if options.writes < 1:
        raise Failure("--writes must be 1 or more")
    try:
        return _print(options, device.bench_device(_say, None, device.ROUNDS, options.writes))
    except OSError as error:
        raise Failure(f"this folder's disk cannot be measured: {error.strerror or error}") from None


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _print(options: argparse.Namespace, rows: list[Row]) -> int:
    if options.json:
        print(json.dumps([row._asdict() for row in rows]))
    else:
        for row in rows:
            print(row.line())
    return 0 if all(row.reached for row in rows) else 1
