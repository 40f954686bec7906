"""`lucid sim compare`: what is different between two runs, two sweeps, or two commits."""

from __future__ import annotations

import argparse
import hashlib
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lucid.cli.failure import Failure
from lucid.interrupts import terminable

if TYPE_CHECKING:
    from harness.compare import MeasureDifference

SWEEP = "--seeds 8 --duration 10m"
"""What is asked of commits: with eight pairs of seeds an interval can be told from chance (`harness.compare.FEW`)."""

WORSE = 1
"""Exit status when a measure is worse than the allowed share."""


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid sim compare`."""
    compare = actions.add_parser(
        "compare",
        help="say what is different between two runs, sweeps or commits",
        description="Compare the figures of two folders that lucid sim run or lucid sim sweep wrote, what got worse "
        "first. Cells of sweeps are compared seed by seed, and the interval is that of these differences. A name that "
        "is no folder is a commit: the sweep given is made by its own code, below runs/, and kept for the next time.",
        epilog="Exit status: 0 nothing is worse by more than --worse, 1 something is, 2 bad usage.",
    )
    compare.add_argument("before", type=Path, metavar="A", help="folder of a run or a sweep, or a commit")
    compare.add_argument("after", type=Path, metavar="B", help="folder of the same kind, or a commit")
    compare.add_argument(
        "--sweep",
        default=SWEEP,
        metavar="WORDS",
        help=f"what lucid sim sweep is given for a commit (default: '{SWEEP}')",
    )
    compare.add_argument(
        "--worse", type=_percent, default=0.1, metavar="PERCENT", help="how much worse is allowed (default 10%%)"
    )
    compare.add_argument("--report", type=Path, metavar="FILE", help="write it as a page, too")
    compare.add_argument("--json", action="store_true", help="print JSON")
    compare.set_defaults(run=run_compare)


def run_compare(options: argparse.Namespace) -> int:
    """`lucid sim compare`."""
    from harness.compare import CompareError, compare
    from harness.revision import RevisionError

    try:
        with terminable():
            before, after = _folders([options.before, options.after], options.sweep)
        differences = compare(before, after)
    except (CompareError, RevisionError) as error:
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


def _folders(sides: Sequence[Path], sweep_words: str) -> list[Path]:
    """The folder of each side: for a commit the one of its sweep, which is made now, or as far as it is missing."""
    from harness.revision import commit_of, laid_out, sweep

    commits = [None if side.is_dir() else commit_of(str(side), Path.cwd()) for side in sides]
    words = _sweep_words(sweep_words)
    question = hashlib.sha256(shlex.join(words).encode()).hexdigest()
    folders = []
    for side, commit in zip(sides, commits, strict=True):
        if commit is None:
            folders.append(side)
            continue
        folder = Path("runs") / f"commit-{commit[:12]}-{question[:8]}"
        print(f"lucid: {side} is {commit[:12]}, its sweep is {folder}", file=sys.stderr)
        with laid_out(commit, Path.cwd()) as tree:
            sweep(tree, words, folder)
        folders.append(folder)
    return folders


def _sweep_words(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise Failure(f"--sweep {text!r}: {error}") from None
    if any(word.partition("=")[0] in ("--out", "--json") for word in words):
        raise Failure("--sweep takes no --out and no --json: compare says where the sweeps go, and what they came to")
    return words


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
