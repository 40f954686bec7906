"""`lucid sim compare`: what is different between two runs, or two sweeps."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lucid.cli.failure import Failure

if TYPE_CHECKING:
    from harness.compare import MeasureDifference

WORSE = 1
"""Exit status when a measure is worse than the allowed share."""


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid sim compare`."""
    compare = actions.add_parser(
        "compare",
        help="say what is different between two runs or sweeps",
        description="Compare the figures of two folders that lucid sim run or lucid sim sweep wrote, what got worse "
        "first. Cells of sweeps are compared seed by seed, and the interval is that of these differences.",
        epilog="Exit status: 0 nothing is worse by more than --worse, 1 something is, 2 bad usage.",
    )
    compare.add_argument("before", type=Path, metavar="A", help="folder of a run or a sweep")
    compare.add_argument("after", type=Path, metavar="B", help="folder of the same kind")
    compare.add_argument(
        "--worse", type=_percent, default=0.1, metavar="PERCENT", help="how much worse is allowed (default 10%%)"
    )
    compare.add_argument("--report", type=Path, metavar="FILE", help="write it as a page, too")
    compare.add_argument("--json", action="store_true", help="print JSON")
    compare.set_defaults(run=run_compare)


def run_compare(options: argparse.Namespace) -> int:
    """`lucid sim compare`."""
    from harness.compare import CompareError, compare

    try:
        differences = compare(options.before, options.after)
    except CompareError as error:
        raise Failure(str(error)) from None
    worse = [each for each in differences if each.worse_by > options.worse and each.sure]
    if options.report is not None:
        from harness.report.differences import page

        title = f"{options.before} and {options.after}"
        try:
            options.report.write_text(page(title, differences, options.worse), "utf-8")
        except OSError as error:
            raise Failure(f"{options.report}: {error.strerror}") from None
    if options.json:
        print(json.dumps([each._asdict() for each in differences]))
    else:
        _print_differences(differences, options.worse)
    if worse:
        told = f"{len(worse)} of {len(differences)} figures are worse by more than {options.worse:.0%}"
        print(f"lucid: {told}", file=sys.stderr)
    return WORSE if worse else 0


def _print_differences(differences: Sequence[MeasureDifference], allowed: float) -> None:
    from rich.console import Console
    from rich.table import Table

    from harness.report.differences import HEADS, row

    table = Table()
    for name in HEADS:
        table.add_column(name)
    for each in differences:
        table.add_row(*row(each, allowed))
    Console().print(table)


def _percent(text: str) -> float:
    try:
        return float(text.removesuffix("%")) / 100
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of percent") from None
