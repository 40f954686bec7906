"""`lucid sim diff`: the first event in which two traces part, of two runs or of a failing seed and what passes."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lucid.cli.failure import Failure

if TYPE_CHECKING:
    from harness.hunt.nearest import Neighbor
    from harness.parting import Knowledge, Parting
    from sim.scenario import Scenario

DIFFERENT = 1
"""Exit status for traces that part."""
SECONDS = 120.0


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid sim diff`."""
    diff = actions.add_parser(
        "diff",
        help="say where two traces part",
        description="Name the first event in which the traces of two runs differ, the events before it, and what each "
        "node knew by then. With --nearest, A is a failing seed, and B the nearest scenario that passes: one fault "
        "ends earlier, or is not there, or as few as may be, or a seed nearby.",
        epilog="Exit status: 0 the traces are equal, 1 they part, 10 the seed does not fail or nothing near it passes, "
        "2 bad usage.",
    )
    diff.add_argument(
        "first", metavar="A", help="folder of a run, or its trace.jsonl.zst; with --nearest a seed or scenario file"
    )
    diff.add_argument("second", type=Path, nargs="?", metavar="B", help="folder of another run, or its trace.jsonl.zst")
    diff.add_argument("--nearest", action="store_true", help="compare a failing seed with the nearest that passes")
    diff.add_argument("--profile", default="all", metavar="NAME", help="the swarm that the seed is of (default: all)")
    diff.add_argument("--record", type=Path, metavar="FILE", help="take the seed's scenario from a hunt's record")
    diff.add_argument("--seconds", type=float, default=SECONDS, metavar="S", help="the most wall time (default: 120)")
    diff.add_argument("--out", type=Path, default=Path("nearest"), metavar="DIR", help="folder (default: nearest)")
    diff.add_argument("--json", action="store_true", help="print the result as JSON")
    diff.set_defaults(run=run_diff)


def run_diff(options: argparse.Namespace) -> int:
    """`lucid sim diff`."""
    if options.nearest:
        return _run_nearest(options)
    if options.second is None:
        raise Failure("two runs are compared: name B too, or a failing seed with --nearest")
    return _compare(options, Path(options.first), options.second)


def _run_nearest(options: argparse.Namespace) -> int:
    """A failing seed against the nearest that passes."""
    from harness.hunt.nearest import NearestSearch
    from lucid.cli.shrink import failing

    if options.second is not None:
        raise Failure("--nearest finds B itself: name a seed or a scenario alone")
    scenario, _ = failing(options.first, options)
    found = NearestSearch(scenario, options.profile, options.seconds, lambda _: None).nearest()
    if found is None:
        print(f"lucid: nothing near {options.first} passes, as far as {options.seconds:g} s go", file=sys.stderr)
        return 10
    return _compare(
        options, _traced(options.out / "failing", scenario), _traced(options.out / "passing", found.scenario), found
    )


def _traced(folder: Path, scenario: Scenario) -> Path:
    """Run a scenario again, and write it down with its trace."""
    from harness.hunt.judge import judge
    from sim.scenariofile import dump
    from sim.trace import Trace

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scenario.toml").write_text(dump(scenario), "utf-8")
    judge(scenario, Trace(folder / "trace.jsonl.zst"))
    return folder


def _compare(options: argparse.Namespace, first: Path, second: Path, neighbor: Neighbor | None = None) -> int:
    """Say where two traces part; that their faults differ is known of a neighbor."""
    from harness.parting import TraceError, parting

    try:
        found = parting(first, second, beside_faults=neighbor is not None)
    except TraceError as error:
        raise Failure(str(error)) from None
    if neighbor is not None and not options.json:
        print(f"the nearest that passes, of {neighbor.runs} that were run:")
        print("\n".join(f"  {each}" for each in neighbor.differences))
    if options.json:
        document = None if found is None else found._asdict()
        if found is not None:
            document = found._asdict() | {"known": {node: each._asdict() for node, each in found.known.items()}}
        near = None if neighbor is None else {"differences": neighbor.differences, "runs": neighbor.runs}
        print(json.dumps({"equal": found is None, "parting": document} | ({"nearest": near} if near else {})))
    elif found is None:
        print("the traces are equal")
    else:
        print("\n".join(_lines(found, first, second)))
    return 0 if found is None else DIFFERENT


def _lines(found: Parting, first: Path, second: Path) -> list[str]:
    from harness.parting import told

    return [
        f"the traces part at line {found.line:,}",
        *[f"  both     {told(event)}" for event in found.before],
        f"  A only   {told(found.first)}",
        f"  B only   {told(found.second)}",
        f"A is {first}, B is {second}; what each node knew by then:",
        *[f"  n{node:02}  {_known(each)}" for node, each in sorted(found.known.items())],
    ]


def _known(known: Knowledge) -> str:
    view = "no view" if known.view is None else f"view {known.view[0]}/{known.view[1]}"
    blocks = [
        f"{word} {found[0]} ({found[1][:8]})"
        for word, found in (("valid", known.valid), ("final", known.final))
        if found is not None
    ]
    return ", ".join([view, *blocks, *([f"signed {known.signed}"] if known.signed else [])])
