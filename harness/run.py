"""Runs a scenario under all invariants and writes the run's folder: scenario, metrics, trace, report, journals."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import structs

from harness.driving import Ended, Tick, Watching, driven, watched
from harness.invariants import ANCHORS, PROGRESS
from harness.notes import hooks_of, notes_of
from harness.policy import LeaderPolicy
from harness.progress import Progress
from harness.repeating import command
from harness.result import CheckedInvariant, RunResult, UnboundStretch
from harness.runfolder import begin_folder, write_folder
from harness.verdict import RunVerdict
from sim.costs import Costs
from sim.faults.fault import Fault
from sim.scenario import Scenario
from sim.summary import RunSummary
from sim.trace import Trace
from sim.watcher import Watcher
from sim.world import World

EXIT_STATUS = {RunVerdict.PASS: 0, RunVerdict.NO_PROGRESS: 10, RunVerdict.DIVERGED: 20, RunVerdict.INTERRUPTED: 130}


def run(
    scenario: Scenario,
    folder: Path | None = None,
    *,
    watchers: Sequence[Callable[[World], Watcher]] = (),
    faults: Sequence[Fault] = (),
    leaders: LeaderPolicy | None = None,
    costs: Costs | None = None,
    trace_file: bool = True,
    journals: bool = False,
    progress: Callable[[Tick], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> RunResult:
    """Run a scenario to its end, to the first broken invariant, or until `stop` says so.

    With a folder, `scenario.toml`, `metrics.json`, `report.html`, and unless told otherwise `trace.jsonl.zst` and
    `timeline.html`, are written there, and each machine's journal under `journals/` when asked for.

    `watchers` are called with the world before it starts, and what they make is told of every fact, accepted
    transaction and fault; it must change nothing. `faults` are further ones, such as `Fault`s of one's own. `leaders`
    decides who leads otherwise than the protocol does. `costs` stand in place of the scenario's core and disk.
    `progress` is told now and then how far the run is.
    """
    hooks = hooks_of(faults, leaders, costs)
    scenario = structs.replace(scenario, fault=[*scenario.fault, *faults]) if faults else scenario
    journal_folder = None if folder is None else begin_folder(scenario, folder, journals)
    trace = Trace(folder / "trace.jsonl.zst" if folder is not None and trace_file else None)
    world = World(scenario, trace, journal_folder, costs)
    world.watchers += [make(world) for make in watchers]
    watching = watched(world)
    if stop is not None:
        world.clock.stop = stop
    began = time.perf_counter()
    try:
        ended = driven(watching, leaders, progress)
        wall_seconds = time.perf_counter() - began
    finally:
        world.close()
        trace_hash = trace.close()
    notes = notes_of(scenario, world, hooks)
    result = _result(watching, ended, wall_seconds, notes, command(scenario, folder), trace_hash)
    if folder is not None:
        write_folder(result, folder, trace_file)
    return result


def _result(
    watching: Watching, ended: Ended, wall_seconds: float, notes: list[str], repeats: str, trace_hash: str
) -> RunResult:
    """What is told of a run that ended."""
    return RunResult(
        **structs.asdict(RunSummary(watching.metrics).figures(wall_seconds)),
        verdict=ended.verdict,
        invariant=ended.invariant,
        reason=ended.reason,
        notes=notes,
        command=repeats,
        trace_hash=trace_hash,
        state_root=_final_root(watching.world),
        invariants=_checked(ended, watching.counts, watching.watch),
    )


def _checked(ended: Ended, counts: Sequence[Mapping[str, int]], watch: Progress) -> list[CheckedInvariant]:
    """What became of each invariant, and for how long it did not bind."""
    unbound = {PROGRESS: watch.unbound_ms, ANCHORS: watch.unbound_anchors_ms}
    return [
        CheckedInvariant(
            name=name,
            checks=checks,
            broken=int(name == ended.invariant),
            unbound=[UnboundStretch(why=why, ms=ms) for why, ms in sorted(unbound.get(name, {}).items())],
        )
        for each in counts
        for name, checks in each.items()
    ]


def _final_root(world: World) -> str:
    """State root of the highest final block that any node knows, as hex; empty while there is none."""
    runners = [node.manager for node in world.nodes if node.manager is not None]
    roots = [runner.machine.chain.tree.root for runner in runners]  # type: ignore[union-attr]
    highest = max(roots, key=lambda node: node.height, default=None)
    return "" if highest is None else highest.ledger.root.hex()
