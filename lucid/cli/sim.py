"""`lucid sim`: run a simulated network, list the scenarios."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lucid.cli import ablate, calibrate, compare, diff, explore, export, hunt, saturate, shrink, sweep
from lucid.cli.failure import Failure
from lucid.interrupts import stoppable

if TYPE_CHECKING:
    from harness.driving import Tick
    from harness.result import RunResult
    from sim.samples import Spread
    from sim.scenario import Scenario

DEFAULT_FOLDER = Path("runs")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid sim` and its actions."""
    sim = commands.add_parser("sim", help="run simulated networks", description="Run simulated networks.")
    actions = sim.add_subparsers(metavar="ACTION", required=True)
    _register_run(actions)
    _register_scenarios(actions)
    sweep.register(actions)
    compare.register(actions)
    saturate.register(actions)
    calibrate.register(actions)
    hunt.register(actions)
    shrink.register(actions)
    diff.register(actions)
    ablate.register(actions)
    explore.register(actions)
    export.register(actions)


def _register_run(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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
        "--crypto", choices=("real", "modelled"), help="signatures: real ones, or a stand-in that is faster"
    )
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


def _register_scenarios(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """What tells of scenarios and runs none."""
    listing = actions.add_parser("list", help="name the scenarios", description="Name the shipped scenarios.")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=list_scenarios)
    show = actions.add_parser(
        "show",
        help="print a scenario with all its keys",
        description="Print a scenario as complete TOML: every key with its value and what it says.",
        epilog="Exit status: 0 printed, 2 bad usage.",
    )
    show.add_argument("scenario", nargs="?", default="default", metavar="SCENARIO", help="a name or a TOML file")
    show.set_defaults(run=show_scenario)
    schema = actions.add_parser(
        "schema",
        help="print the JSON Schema of scenarios",
        description="Print the JSON Schema of scenarios, by which an editor completes and checks a TOML file.",
        epilog="Exit status: 0 printed, 2 bad usage.",
    )
    schema.set_defaults(run=show_schema)


def run_scenario(options: argparse.Namespace) -> int:
    """`lucid sim run`."""
    from harness.run import EXIT_STATUS, run
    from harness.verdict import RunVerdict

    scenario = _scenario(options)
    folder = _folder(options.out, options.force, scenario)
    kept = {"trace_file": not options.no_trace, "journals": options.journal}
    with stoppable() as stop, _bar(scenario, sys.stderr.isatty()) as tick:
        result = run(scenario, folder, progress=tick, stop=stop, **kept)
    if options.json:
        found = {key: value for key, value in result.document().items() if key != "series"}
        print(json.dumps(found | {"folder": str(folder)}))
    else:
        _print_summary(result, folder)
    for note in result.notes:
        print(f"lucid: {note}", file=sys.stderr)
    if result.reason:
        print(f"lucid: {result.reason}", file=sys.stderr)
    if result.verdict is RunVerdict.DIVERGED:
        print(f"lucid: seed {scenario.seed}; repeat with: {result.command}", file=sys.stderr)
    return EXIT_STATUS[result.verdict]


def list_scenarios(options: argparse.Namespace) -> int:
    """`lucid sim list`."""
    from sim.scenario import parse, shipped

    scenarios = [parse(text, name) for name, text in shipped().items()]
    if options.json:
        rows = [{"name": each.name, "nodes": each.nodes, "description": each.description} for each in scenarios]
        print(json.dumps(rows))
        return 0
    width = max(len(each.name) for each in scenarios)
    for each in scenarios:
        print(f"{each.name:{width}}  {_nodes(each.nodes):>9}  {each.duration!s:>5}  {each.description}")
    return 0


def show_scenario(options: argparse.Namespace) -> int:
    """`lucid sim show`."""
    from sim.keys import explained
    from sim.scenario import ScenarioError, load

    try:
        print(explained(load(options.scenario)), end="")
    except ScenarioError as error:
        raise Failure(str(error)) from None
    return 0


def show_schema(options: argparse.Namespace) -> int:
    """`lucid sim schema`."""
    from sim.keys import schema

    print(json.dumps(schema(), indent=1))
    return 0


def _nodes(count: int) -> str:
    return f"{count} node" if count == 1 else f"{count} nodes"


def _scenario(options: argparse.Namespace) -> Scenario:
    from harness.command import OPTIONS
    from sim.scenario import ScenarioError, changed, load
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


class _Bar:
    """A progress bar with simulated time, height, speed and the time left."""

    def __init__(self, scenario: Scenario) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._duration_ms = scenario.duration_ms
        self._progress = Progress(
            TextColumn("{task.fields[at]}"),
            BarColumn(),
            TextColumn("height {task.fields[height]}  {task.fields[speed]} messages/s"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task("", total=self._duration_ms, at="0:00:00", height=0, speed="-")

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, tick: Tick) -> None:
        elapsed = self._progress.tasks[0].elapsed or 1e-9
        seconds = tick.at_ms // 1000
        self._progress.update(
            self._task,
            completed=tick.at_ms,
            at=f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}",
            height=tick.height,
            speed=f"{int(tick.deliveries / elapsed):,}",
        )


def _bar(scenario: Scenario, wanted: bool) -> AbstractContextManager[Any]:
    return _Bar(scenario) if wanted else nullcontext()


def _print_summary(result: RunResult, folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from harness.verdict import RunVerdict

    color = {RunVerdict.PASS: "green", RunVerdict.DIVERGED: "red"}.get(result.verdict, "yellow")
    table = Table(title=Text(f"{result.scenario}: {_nodes(result.nodes)}, seed {result.seed}"), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("verdict", Text(result.verdict.replace("_", " "), f"bold {color}"))
    for name, text in summary_rows(result):
        table.add_row(name, Text(text))
    Console().print(table)
    # Outside the table, so that each can be copied whole.
    print(f"trace hash  {result.trace_hash}\nstate root  {result.state_root}\nreport      {folder}/report.html")


def summary_rows(result: RunResult) -> list[tuple[str, str]]:
    """The figures of a run as (name, text)."""
    return [*_chain_rows(result), *_cost_rows(result)]


def _chain_rows(result: RunResult) -> list[tuple[str, str]]:
    """What the chain did, and how fast."""
    blocks, interval, halts = result.blocks, result.interval_ms, result.halts
    ratio, best = result.finality_ratio, result.finality_at_best_ms
    return [
        ("simulated", f"{result.duration_ms / 1000:,.0f} s in {result.speed.wall_seconds:.1f} s"),
        (
            "blocks",
            f"{blocks.final} final, height {blocks.height}, {blocks.forked} forked, epoch {blocks.epoch}",
        ),
        ("finality", spread_text(result.finality_ms)),
        (
            "finality ratio",
            "-" if ratio is None else f"{ratio:.3f} of the leader's quorum path (p50 {_ms(best.p50)})",
        ),
        ("tick to finality", spread_text(halts.wait_ms)),
        (
            "longest halt",
            f"{halts.longest_ms / 1000:,.1f} s without a new final block, from {halts.longest_at_ms / 1000:,.1f} s",
        ),
        ("block interval", f"mean {_ms(interval.mean)}, deviation {_ms(interval.deviation)}"),
        ("propagation", spread_text(result.propagation_ms)),
        ("missed views", f"{result.missed_views}, {result.timeouts} timeouts at nodes"),
    ]


def _cost_rows(result: RunResult) -> list[tuple[str, str]]:
    """Who led, whom it served, and at what cost."""
    leaders, sessions, speed = result.leaders, result.sessions, result.speed
    traffic, waits = result.traffic, result.waits
    largest = sorted(leaders.shares, key=lambda each: -each.blocks)[:3]
    failed = sessions.unreachable + sessions.refused + sessions.unanswered
    return [
        (
            "leaders",
            f"Gini {leaders.gini:.3f} ({leaders.gini_floor:.3f} if its {leaders.slots} slots were even); "
            + ", ".join(f"{each.name} {each.ppm / 10_000:.1f} %" for each in largest),
        ),
        (
            "sessions",
            f"{sessions.final} of {sessions.attempts} attempts final, {sessions.waiting} waiting, "
            f"{failed} not accepted",
        ),
        ("session latency", spread_text(sessions.latency_ms)),
        (
            "traffic",
            "-"
            if traffic.messages_per_node_block is None
            else f"{traffic.messages_per_node_block:,.1f} messages and {traffic.bytes_per_node_block:,.0f} bytes "
            "per node per block",
        ),
        (
            "waits",
            "-"
            if waits.cpu_ms is None
            else f"{waits.cpu_ms:,.1f} ms for a core, {waits.disk_ms:,.1f} ms for a disk "
            f"({waits.stores:,.1f} stores) per node per block",
        ),
        (
            "speed",
            f"{speed.events_per_second:,} events/s, {speed.delivered_per_second:,} messages/s, "
            f"{speed.events:,} events in all",
        ),
    ]


def spread_text(spread: Spread) -> str:
    """A spread of latencies, without the percentiles that so few samples do not have."""
    known = {"p50": spread.p50, "p90": spread.p90, "p99": spread.p99, "max": spread.max}
    named = [f"{name} {_ms(value)}" for name, value in known.items() if value is not None]
    return ", ".join([*named, f"{spread.n:,} samples"])


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f} ms"
