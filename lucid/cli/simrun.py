"""`lucid sim run`: a simulated network, its verdict and its folder."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lucid.cli.failure import Failure
from lucid.cli.progress import run_bar
from lucid.cli.runsummary import print_summary
from lucid.interrupts import stoppable

if TYPE_CHECKING:
    from sim.scenario import Scenario

DEFAULT_FOLDER = Path("runs")


def _spelled(text: str) -> str:
    """A kind of signatures as it is spelled today: earlier releases wrote `modelled`."""
    return "modeled" if text == "modelled" else text


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid sim run`."""
    run = actions.add_parser(
        "run",
        help="run a scenario and write its report",
        description="Run a scenario under all invariants. Without arguments: ten nodes in ten regions for an hour.",
        epilog="Exit status: 0 pass, 10 no progress, 20 an invariant is broken, 2 bad usage, 130 interrupted by Ctrl-C "
        "or SIGTERM, which leave the report of the part that was simulated.",
    )
    run.add_argument("scenario", nargs="?", default="default", metavar="SCENARIO", help="a name or a TOML file")
    run.add_argument("--nodes", type=int, metavar="N", help="number of nodes")
    run.add_argument("--duration", metavar="TIME", help="simulated time, such as 90s, 10m, 24h")
    run.add_argument("--seed", type=int, metavar="S", help="seed of all that is random")
    run.add_argument(
        "--crypto",
        choices=("real", "modeled"),
        type=_spelled,
        help="signatures: real ones, or a stand-in that is faster",
    )  # fmt: skip
    run.add_argument("--profile", metavar="NAME", help="network: regions, lan, tor or constant")
    run.add_argument(
        "--set", action="append", default=[], dest="settings", metavar="KEY=VALUE",
        help="a key of the scenario, such as loss=5%%, block_interval=2s or disk=microsd",
    )  # fmt: skip
    run.add_argument(
        "--fault", action="append", default=[], metavar="WORDS",
        help="a further fault, such as 'partition at=10m until=20m regions=europe'",
    )  # fmt: skip
    run.add_argument("--out", type=Path, metavar="DIR", help="folder of the run (default: a new one under runs/)")
    run.add_argument("--force", action="store_true", help="write into --out though it is not empty")
    run.add_argument("--no-trace", action="store_true", help="do not write trace.jsonl.zst")
    run.add_argument("--journal", action="store_true", help="keep every machine's journal, for lucid replay")
    run.add_argument("--json", action="store_true", help="print the metrics as JSON instead of a table")
    run.set_defaults(run=run_scenario)


def run_scenario(options: argparse.Namespace) -> int:
    """`lucid sim run`."""
    from harness.run import EXIT_STATUS, run
    from harness.verdict import RunVerdict

    scenario = _scenario(options)
    folder = _folder(options.out, options.force, scenario)
    kept = {"trace_file": not options.no_trace, "journals": options.journal}
    with stoppable() as stop, run_bar(scenario, sys.stderr.isatty()) as tick:
        result = run(scenario, folder, progress=tick, stop=stop, **kept)
    if options.json:
        found = {key: value for key, value in result.document().items() if key != "series"}
        print(json.dumps(found | {"folder": str(folder)}))
    else:
        print_summary(result, folder)
    for note in result.notes:
        print(f"lucid: {note}", file=sys.stderr)
    if result.reason:
        print(f"lucid: {result.reason}", file=sys.stderr)
    if result.verdict is RunVerdict.DIVERGED:
        print(f"lucid: seed {scenario.seed}; repeat with: {result.command}", file=sys.stderr)
    return EXIT_STATUS[result.verdict]


def _scenario(options: argparse.Namespace) -> Scenario:
    from harness.repeating import OPTIONS
    from sim.scenariochecks import changed
    from sim.scenarioerror import ScenarioError
    from sim.scenariofile import load
    from sim.words import with_words

    given = {key: getattr(options, key) for key in OPTIONS if getattr(options, key) is not None}
    try:
        return with_words(changed(load(options.scenario), **given), options.settings, options.fault)
    except ScenarioError as error:
        raise Failure(str(error)) from None


def _folder(out: Path | None, force: bool, scenario: Scenario) -> Path:
    """The run's folder: the one named, if it is empty, or a new one."""
    if out is not None:
        if out.exists() and not out.is_dir():
            raise Failure(f"--out {out} is not a folder")
        if out.is_dir() and any(out.iterdir()) and not force:
            raise Failure(f"--out {out} is not empty; name another folder, or add --force to write into it")
        return out
    base = DEFAULT_FOLDER / f"{scenario.name}-{scenario.seed}"
    folder, number = base, 1
    while folder.exists():
        number += 1
        folder = base.with_name(f"{base.name}.{number}")
    return folder
