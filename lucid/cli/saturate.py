"""`lucid sim saturate`: more and more load, up to what a network keeps up with."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lucid.cli.failure import INTERRUPTED, Failure
from lucid.interrupts import terminable

if TYPE_CHECKING:
    from harness.saturate import Load

NONE_KEPT_UP = 10
"""Exit status when not even the first load was kept up with."""


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid sim saturate`."""
    saturate = actions.add_parser(
        "saturate",
        help="find the load that a network keeps up with",
        description="Run a scenario under a load that doubles until the network does not keep up, then loads in "
        "between; write the curve of session latency over throughput. A network keeps up when its run passes, at most "
        "1 % of the anchors are refused, and no more wait at the end than came in two block intervals.",
        epilog="Exit status: 0 found, 10 not even the first load was kept up with, 130 interrupted (what is done is "
        "written), 2 bad usage.",
    )
    saturate.add_argument("scenario", nargs="?", default="default", metavar="SCENARIO", help="a name or a TOML file")
    saturate.add_argument("--nodes", type=int, metavar="N", help="number of nodes")
    saturate.add_argument("--duration", default="3m", metavar="TIME", help="simulated time of each run (default 3m)")
    saturate.add_argument(
        "--set", action="append", default=[], dest="settings", metavar="KEY=VALUE", help="a key of the scenario"
    )
    saturate.add_argument(
        "--every",
        type=int,
        default=1_000,
        metavar="MS",
        help="the first load: one anchor every so many ms (default 1000)",
    )
    saturate.add_argument("--out", type=Path, metavar="DIR", help="folder (default: a new one under runs/)")
    saturate.add_argument("--json", action="store_true", help="print every load as JSON")
    saturate.set_defaults(run=run_saturate)


def run_saturate(options: argparse.Namespace) -> int:
    """`lucid sim saturate`."""
    from harness.report.saturation import page
    from harness.saturate import knee, loads
    from sim.scenariochecks import changed
    from sim.scenarioerror import ScenarioError
    from sim.scenariofile import load
    from sim.words import with_words

    if options.every < 1:
        raise Failure("--every takes a whole number of milliseconds of 1 or more")
    given = {"duration": options.duration} | ({} if options.nodes is None else {"nodes": options.nodes})
    try:
        base = with_words(changed(load(options.scenario), **given), options.settings)
    except ScenarioError as error:
        raise Failure(str(error)) from None
    folder = _folder(options.out, base.name)
    found: list[Load] = []
    interrupted = False
    try:
        with terminable():
            for each in loads(base, options.every):
                found.append(each)
                _say(each)
    except KeyboardInterrupt:
        interrupted = True
    rows = [_row(each) for each in sorted(found, key=lambda each: each.offered_per_s)]
    with (folder / "saturate.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    (folder / "report.html").write_text(page(f"{base.name}, nodes: {base.nodes}", found, interrupted), "utf-8")
    top = knee(found)
    if options.json:
        kept = None if top is None else top.offered_per_s
        print(json.dumps({"folder": str(folder), "kept_up_per_s": kept, "loads": rows}))
    else:
        said = "no load" if top is None else f"{top.offered_per_s:g} anchors/s"
        print(f"kept up     {said}\nreport      {folder / 'report.html'}\nrows        {folder / 'saturate.csv'}")
    if interrupted:
        return INTERRUPTED
    return 0 if top is not None else NONE_KEPT_UP


def _row(load: Load) -> dict[str, Any]:
    import msgspec

    found: dict[str, Any] = msgspec.to_builtins(load)
    return found


def _say(load: Load) -> None:
    state = "kept up" if load.kept_up else "did not keep up"
    words = f"{load.offered_per_s:g} offered, {load.final_per_s:g} final anchors/s: {state}"
    print(f"lucid: {words}", file=sys.stderr, flush=True)


def _folder(out: Path | None, name: str) -> Path:
    folder, number = out or Path("runs") / f"saturate-{name}", 1
    while out is None and folder.exists():
        number += 1
        folder = Path("runs") / f"saturate-{name}.{number}"
    if folder.exists() and not folder.is_dir():
        raise Failure(f"--out {folder} is not a folder")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
