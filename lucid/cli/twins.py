"""`lucid sim twins`: every way to split four nodes, one of whose keys is run twice, and to lead, round by round."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lucid.cli.failure import INTERRUPTED, Failure
from lucid.cli.huntboard import HuntBoard
from lucid.cli.hunttally import HuntTally
from lucid.cli.workers import add_workers, chosen_workers
from lucid.interrupts import terminable

if TYPE_CHECKING:
    from harness.hunt.record import HuntRecord
    from harness.hunt.twins import TwinScope

OPEN = 10
"""Exit status when the time was over before every case was run."""
FOUND = 20
"""Exit status when a case failed."""
MOST_ROUNDS = 5


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid sim twins`."""
    twins = actions.add_parser(
        "twins",
        help="run every way to split a network with twins",
        description="Run four validators, one of them twice with one key, through every way to split them and to lead, "
        "round by round (Bano et al., Twins); cases that differ by the names of honest nodes alone are one. Each is "
        "judged as a seed of a hunt is.",
        epilog="Exit status: 0 every case was run and none failed, 10 the time was over first, 20 some failed, 130 "
        "interrupted (what was run is kept), 2 bad usage.",
    )
    twins.add_argument("--rounds", type=int, default=3, metavar="R", help=f"rounds, 1 to {MOST_ROUNDS} (default: 3)")
    twins.add_argument(
        "--groups", type=int, default=2, metavar="G", help="groups of nodes in a round at most, 1 to 5 (default: 2)"
    )
    twins.add_argument("--late", action="store_true", help="splits that begin after a round's proposals, too")
    twins.add_argument("--minutes", type=float, metavar="M", help="stop after so long")
    add_workers(twins)
    twins.add_argument(
        "--out", type=Path, default=Path("twins.jsonl"), metavar="FILE",
        help="record of the cases; one that is there is continued (default: twins.jsonl)",
    )  # fmt: skip
    twins.add_argument("--json", action="store_true", help="print the result as JSON")
    twins.set_defaults(run=run_twins)


def run_twins(options: argparse.Namespace) -> int:
    """`lucid sim twins`."""
    from harness.hunt.pool import judged
    from harness.hunt.record import HuntHead, HuntRecord, HuntRecordError
    from harness.hunt.twins import judge_case, scenario
    from lucid.provenance import provenance

    scope = _scope(options)
    try:
        record = HuntRecord(options.out, HuntHead(1, provenance().commit, str(scope)))
    except (HuntRecordError, OSError) as error:
        raise Failure(str(error)) from None
    numbers = _numbers(scope, set(record.lines), options.minutes)
    tally, interrupted = HuntTally(), False
    live = sys.stderr.isatty() and not options.json
    with closing(record), chosen_workers(options) as workers, terminable(), HuntBoard(live, record) as board:
        try:
            with closing(judged(numbers, str(scope), workers, judge_case)) as results:
                for each in results:
                    line = record.add(each, partial(scenario, scope=scope))
                    tally.add(each)
                    board.show(line, tally)
        except KeyboardInterrupt:
            interrupted = True
    _report(options, scope, record, tally, interrupted)
    if interrupted:
        print(f"lucid: interrupted; {options.out} keeps {len(record.lines)} cases, run again to go on", file=sys.stderr)
        return INTERRUPTED
    if record.failed:
        return FOUND
    return 0 if len(record.lines) == scope.cases else OPEN


def _scope(options: argparse.Namespace) -> TwinScope:
    from harness.hunt.twins import BODIES, TwinScope

    for name, most in (("rounds", MOST_ROUNDS), ("groups", BODIES)):
        if not 1 <= getattr(options, name) <= most:
            raise Failure(f"--{name} must be 1 to {most}, is {getattr(options, name)}")
    if options.minutes is not None and not 0 < options.minutes < 1e6:
        raise Failure(f"--minutes must be above 0, is {options.minutes:g}")
    return TwinScope(options.rounds, options.groups, options.late)


def _numbers(scope: TwinScope, known: set[int], minutes: float | None) -> Iterator[int]:
    """The cases to run, without those that a record knows."""
    from harness.hunt.twins import canonical

    until = None if minutes is None else time.monotonic() + minutes * 60
    for number in canonical(scope):
        if until is not None and time.monotonic() > until:
            return
        if number not in known:
            yield number


def _report(
    options: argparse.Namespace, scope: TwinScope, record: HuntRecord, tally: HuntTally, interrupted: bool
) -> None:
    counts = Counter(str(line.verdict) for line in record.lines.values())
    now = sum(tally.verdicts.values())
    if options.json:
        document = {
            "rounds": scope.rounds,
            "groups": scope.groups,
            "late": scope.late,
            "cases": scope.cases,
            "with_names": scope.numbers,
            "run": len(record.lines),
            "run_now": now,
            "seconds": round(tally.seconds, 3),
            "interrupted": interrupted,
            "verdicts": dict(sorted(counts.items())),
            "failed": [
                {"case": line.seed, "verdict": line.verdict, "invariant": line.invariant, "reason": line.reason}
                for line in record.failed
            ],
            "record": str(options.out),
        }
        print(json.dumps(document))
        return
    print(
        f"{len(record.lines):,} of {scope.cases:,} cases of {scope.rounds} rounds and at most {scope.groups} groups "
        f"({scope.numbers:,} with names) were run: "
        + (", ".join(f"{count:,} {verdict}" for verdict, count in sorted(counts.items())) or "none judged")
        + f"; {now:,} of them now in {tally.seconds:.1f} s ({tally.speed:.1f} a second)"
    )
    for line in record.failed:
        print(f"  case {line.seed}: {line.verdict}: {line.invariant}: {line.reason}")
