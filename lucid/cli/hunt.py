"""`lucid sim hunt`: search seeds for a network that breaks an invariant or never comes back."""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from lucid.cli.failure import INTERRUPTED, Failure
from lucid.cli.workers import add_workers, chosen_workers
from lucid.interrupts import terminable

if TYPE_CHECKING:
    from harness.hunt.record import HuntRecord
from lucid.cli.huntboard import HuntBoard
from lucid.cli.hunttally import HuntTally

DEFAULT_SEEDS = 1_000
FOUND = 20
"""Exit status when a seed failed."""
HOLE = 10
"""Exit status of `--marks` when a mark was never reached."""
MARKED_SEEDS = 1_000
"""Seeds from which on a mark that was never reached says something."""


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid sim hunt`."""
    hunt = actions.add_parser(
        "hunt",
        help="search seeds for runs that break an invariant",
        description="Draw a network, its limits, its load and its faults from each seed, run it, let everything heal, "
        "and see that it was safe and that the chain came back within the bound of protocol section 9.",
        epilog="Exit status: 0 no seed failed, 20 some did, 10 a mark is missing (--marks), 130 interrupted (what was "
        "found is kept), 2 bad usage.",
    )
    much = hunt.add_mutually_exclusive_group()
    much.add_argument("--seeds", type=_positive, metavar="N", help=f"how many seeds (default: {DEFAULT_SEEDS})")
    much.add_argument("--minutes", type=_minutes, metavar="M", help="how long, instead of how many")
    hunt.add_argument("--first", type=_natural, default=0, metavar="SEED", help="the first seed (default: 0)")
    add_workers(hunt)
    hunt.add_argument("--profile", default="all", metavar="NAME", help="the swarm (docs/hunting.md)")
    hunt.add_argument(
        "--out", type=Path, default=Path("hunt.jsonl"), metavar="FILE",
        help="record of the hunt; one that is there is continued (default: hunt.jsonl)",
    )  # fmt: skip
    hunt.add_argument(
        "--marks", action="store_true", help="fail if a mark is never reached in a thousand seeds or more"
    )
    hunt.add_argument("--json", action="store_true", help="print the result as JSON")
    hunt.set_defaults(run=run_hunt)


def run_hunt(options: argparse.Namespace) -> int:
    """`lucid sim hunt`."""
    from harness.hunt.pool import judged
    from harness.hunt.record import HuntHead, HuntRecord, HuntRecordError
    from harness.hunt.swarm import PROFILES
    from lucid.provenance import provenance

    if options.profile not in PROFILES:
        raise Failure(f"no profile {options.profile!r}; there are {', '.join(PROFILES)}")
    try:
        record = HuntRecord(options.out, HuntHead(1, provenance().commit, options.profile))
    except (HuntRecordError, OSError) as error:
        raise Failure(str(error)) from None
    known = set(record.lines)
    tally, interrupted = HuntTally(), False
    live = sys.stderr.isatty() and not options.json
    with closing(record), chosen_workers(options) as workers, terminable(), HuntBoard(live, record) as board:
        try:
            with closing(judged(_seeds(options, known), options.profile, workers)) as results:
                for each in results:
                    line = record.add(each)
                    tally.add(each)
                    board.show(line, tally)
        except KeyboardInterrupt:
            interrupted = True
    _report(options, record, tally, interrupted)
    if interrupted:
        print(f"lucid: interrupted; {options.out} keeps {len(record.lines)} seeds, run again to go on", file=sys.stderr)
        return INTERRUPTED
    if record.failed:
        return FOUND
    return HOLE if options.marks and sum(tally.verdicts.values()) >= MARKED_SEEDS and _never(tally) else 0


def _report(options: argparse.Namespace, record: HuntRecord, tally: HuntTally, interrupted: bool) -> None:
    from harness.hunt.marks import SOMETIMES

    failed = record.failed
    if options.json:
        document = {
            "commit": record.head.commit,
            "profile": options.profile,
            "interrupted": interrupted,
            "seeds": len(record.lines),
            "judged_now": sum(tally.verdicts.values()),
            "seconds": round(tally.seconds, 3),
            "verdicts": dict(sorted(Counter(str(line.verdict) for line in record.lines.values()).items())),
            "marks": {name: tally.marks[name] for name in SOMETIMES},
            "failed": [
                {"seed": line.seed, "verdict": line.verdict, "invariant": line.invariant, "reason": line.reason}
                for line in failed
            ],
            "record": str(options.out),
        }
        print(json.dumps(document))
        return
    counts = Counter(str(line.verdict) for line in record.lines.values())
    print(
        f"{len(record.lines):,} seeds of {options.profile}: "
        + (", ".join(f"{count:,} {verdict}" for verdict, count in sorted(counts.items())) or "none judged")
        + f"; {sum(tally.verdicts.values()):,} of them now in {tally.seconds:.1f} s ({tally.speed:.1f} a second)"
    )
    for line in failed:
        print(f"  seed {line.seed}: {line.verdict}: {line.invariant}: {line.reason}")
    never = _never(tally)
    if never and tally.verdicts:
        print(f"never reached in these: {'; '.join(never)}")


def _never(tally: HuntTally) -> list[str]:
    """The marks that no seed reached."""
    from harness.hunt.marks import SOMETIMES

    return [name for name in SOMETIMES if not tally.marks[name]]


def _seeds(options: argparse.Namespace, known: set[int]) -> Iterator[int]:
    """The seeds to judge, without those that a record knows."""
    if options.minutes is None:
        count = options.seeds or DEFAULT_SEEDS
        yield from (seed for seed in range(options.first, options.first + count) if seed not in known)
        return
    until = time.monotonic() + options.minutes * 60
    for seed in itertools.count(options.first):
        if time.monotonic() > until:
            return
        if seed not in known:
            yield seed


def _positive(text: str) -> int:
    return _whole(text, 1)


def _natural(text: str) -> int:
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} on")
    return int(text)


def _minutes(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes above 0")
    return value
