"""`lucid sim ablate`: switch the machines' safeguards off one at a time, and see that the hunt notices each."""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from lucid.cli.compiled import refuse_compiled
from lucid.cli.failure import INTERRUPTED, Failure
from lucid.interrupts import terminable

if TYPE_CHECKING:
    from harness.hunt.ablation import Ablation

MISSED = 10
"""Exit status when some safeguard is missed by no seed."""


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid sim ablate`."""
    ablate = actions.add_parser(
        "ablate",
        help="switch safeguards off one at a time and hunt",
        description="Switch off one safeguard at a time and hunt: how many seeds fail, and which is the first. A "
        "safeguard whose absence no seed notices is a hole in the hunt.",
        epilog="Exit status: 0 the absence of every safeguard is noticed, 10 that of some is not, 130 interrupted, "
        "2 bad usage.",
    )
    ablate.add_argument("names", nargs="*", metavar="NAME", help="safeguards (default: all; see --list)")
    ablate.add_argument("--list", action="store_true", help="name the safeguards")
    ablate.add_argument("--seeds", type=int, default=2_000, metavar="N", help="seeds for each at most (default: 2000)")
    ablate.add_argument("--all-seeds", action="store_true", help="go on after the first seed that fails")
    ablate.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="J", help="processes")
    ablate.add_argument("--profile", default="", metavar="NAME", help="the swarm (default: each safeguard's own)")
    ablate.add_argument("--json", action="store_true", help="print the result as JSON")
    ablate.set_defaults(run=run_ablate)


def run_ablate(options: argparse.Namespace) -> int:
    """`lucid sim ablate`."""
    from harness.hunt.ablating import ablated
    from harness.hunt.safeguards import SAFEGUARDS
    from harness.hunt.swarm import PROFILES

    if options.list:
        width = max(map(len, SAFEGUARDS))
        for safeguard in SAFEGUARDS.values():
            print(f"{safeguard.name:{width}}  {safeguard.about}")
        return 0
    unknown = [name for name in options.names if name not in SAFEGUARDS]
    if unknown:
        raise Failure(f"no safeguard {unknown[0]!r}; lucid sim ablate --list names them")
    if options.profile and options.profile not in PROFILES:
        raise Failure(f"no profile {options.profile!r}; there are {', '.join(PROFILES)}")
    if options.seeds < 1 or options.jobs < 1:
        raise Failure("--seeds and --jobs must be at least 1")
    refuse_compiled()
    found: list[Ablation] = []
    interrupted = False
    names = options.names or list(SAFEGUARDS)
    with terminable():
        try:
            with closing(ablated(names, options.profile, options.seeds, options.jobs, options.all_seeds)) as results:
                for each in results:
                    found.append(each)
                    if not options.json:
                        print(_line(each), flush=True)
        except KeyboardInterrupt:
            interrupted = True
    missed = [each.name for each in found if not each.failed]
    if options.json:
        rows = [each._asdict() | {"per_thousand": each.per_thousand} for each in found]
        print(json.dumps({"interrupted": interrupted, "ablations": rows}))
    elif found:
        firsts = sorted(each.seeds for each in found if each.failed and not options.all_seeds)
        middle = f"; median of seeds to the first: {firsts[len(firsts) // 2]}" if firsts else ""
        print(f"{len(found) - len(missed)} of {len(found)} safeguards are missed by a seed{middle}")
    if interrupted:
        print("lucid: interrupted", file=sys.stderr)
        return INTERRUPTED
    return MISSED if missed else 0


def _line(found: Ablation) -> str:
    if not found.failed:
        return f"{found.name:28} no seed of {found.seeds} of {found.profile} fails: a hole in the hunt"
    return (
        f"{found.name:28} {found.verdict}: {found.invariant}, {found.profile} {found.first}, "
        f"{found.failed} of {found.seeds} ({found.per_thousand:g} per 1,000)"
    )
