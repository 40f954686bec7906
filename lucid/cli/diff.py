"""`lucid sim diff`: the first event in which two traces part."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from lucid.cli.failure import Failure

if TYPE_CHECKING:
    from harness.parting import Knowledge, Parting

DIFFERENT = 1
"""Exit status for traces that part."""


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid sim diff`."""
    diff = actions.add_parser(
        "diff",
        help="say where two traces part",
        description="Name the first event in which the traces of two runs differ, the events before it, and what each "
        "node knew by then.",
        epilog="Exit status: 0 the traces are equal, 1 they part, 2 bad usage.",
    )
    diff.add_argument("first", type=Path, metavar="A", help="folder of a run, or its trace.jsonl.zst")
    diff.add_argument("second", type=Path, metavar="B", help="folder of another run, or its trace.jsonl.zst")
    diff.add_argument("--json", action="store_true", help="print the result as JSON")
    diff.set_defaults(run=run_diff)


def run_diff(options: argparse.Namespace) -> int:
    """`lucid sim diff`."""
    from harness.parting import TraceError, parting

    try:
        found = parting(options.first, options.second)
    except TraceError as error:
        raise Failure(str(error)) from None
    if options.json:
        document = None if found is None else found._asdict()
        if found is not None:
            document = found._asdict() | {"known": {node: each._asdict() for node, each in found.known.items()}}
        print(json.dumps({"equal": found is None, "parting": document}))
    elif found is None:
        print("the traces are equal")
    else:
        print("\n".join(_lines(found, options.first, options.second)))
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
