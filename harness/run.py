"""Runs a scenario under all invariants and writes the run's folder: scenario, metrics, trace, report, journals."""

from __future__ import annotations

import gc
import json
import shlex
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import structs

from harness.bounds import Bounds, Progress
from harness.invariants import ANCHORS, PROGRESS, Diverged, Invariants
from harness.report import render
from sim.metrics import Metrics
from sim.scenario import Scenario, dump, parse, shipped
from sim.trace import Trace
from sim.world import World

PASS, NO_PROGRESS, DIVERGED = "pass", "no_progress", "diverged"
EXIT_STATUS = {PASS: 0, NO_PROGRESS: 10, DIVERGED: 20}
SLICES = 200
OPTIONS = ("seed", "nodes", "duration", "crypto", "profile")
"""Keys of a scenario that `lucid sim run` takes as options."""


class Tick(NamedTuple):
    """How far a run is: simulated ms, height, deliveries so far."""

    at_ms: int
    height: int
    deliveries: int


def run(
    scenario: Scenario,
    folder: Path | None = None,
    *,
    trace_file: bool = True,
    journals: bool = False,
    progress: Callable[[Tick], None] | None = None,
) -> dict[str, Any]:
    """Run a scenario to its end, or to the first broken invariant; returns the metrics document.

    With a folder, `scenario.toml`, `metrics.json`, `report.html`, and unless told otherwise `trace.jsonl.zst`, are
    written there, and each machine's journal under `journals/` when asked for.
    """
    journal_folder: Path | None = None
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "scenario.toml").write_text(dump(scenario), "utf-8")
        if journals:
            journal_folder = folder / "journals"
            journal_folder.mkdir(exist_ok=True)
    trace = Trace(folder / "trace.jsonl.zst" if folder is not None and trace_file else None)
    world = World(scenario, trace, journal_folder)
    metrics, invariants, watch = Metrics(world), Invariants(world), Progress(world)
    world.watchers += [invariants, metrics, watch]
    began = time.perf_counter()
    try:
        verdict, reason = _drive(world, invariants, watch, metrics, progress)
        wall_seconds = time.perf_counter() - began
    finally:
        world.close()
        trace_hash = trace.close()
    unbound = {PROGRESS: watch.unbound_ms, ANCHORS: watch.unbound_anchors_ms}
    document = {
        **msgspec.to_builtins(metrics.figures(wall_seconds)),
        "verdict": verdict,
        "reason": reason,
        "notes": [
            f"{fault.kind} {fault.text()} would begin at {fault.at_ms / 1000:,.0f} s, after the end: it never happened"
            for fault in scenario.fault
            if fault.at_ms >= world.clock.now_us // 1000
        ],
        "command": command(scenario, folder),
        "trace_hash": trace_hash,
        "state_root": state_root(world),
        "invariants": [
            {
                "name": name,
                "checks": checks,
                "broken": int(name == broken_invariant(verdict, reason)),
                "unbound": [{"why": why, "ms": ms} for why, ms in sorted(unbound.get(name, {}).items())],
            }
            for name, checks in invariants.checks.items()
        ],
    }
    if folder is not None:
        (folder / "metrics.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")
        (folder / "report.html").write_text(render(document), "utf-8")
    return document


def broken_invariant(verdict: str, reason: str) -> str:
    """The name of the invariant that a verdict says is broken; empty if none is."""
    if verdict == NO_PROGRESS:
        return "progress"
    return reason.partition(":")[0] if verdict == DIVERGED else ""


def command(scenario: Scenario, folder: Path | None) -> str:
    """The command that repeats a run: by options of a shipped scenario, or else from the `scenario.toml` it left."""
    text = shipped().get(scenario.name)
    if text is not None:
        plain = parse(text, scenario.name)
        options = {key: getattr(scenario, key) for key in OPTIONS}
        if structs.replace(plain, **options) == scenario:
            words = ["lucid", "sim", "run", scenario.name]
            for key, value in options.items():
                if key == "seed" or value != getattr(plain, key):
                    words += [f"--{key}", str(value)]
            return shlex.join(words)
    return shlex.join(["lucid", "sim", "run", str(folder or "scenario.toml")])


def state_root(world: World) -> str:
    """State root of the highest final block that any node knows, as hex; empty while there is none."""
    runners = [node.manager for node in world.nodes if node.manager is not None]
    roots = [runner.machine.chain.tree.root for runner in runners]  # type: ignore[union-attr]
    highest = max(roots, key=lambda node: node.height, default=None)
    return "" if highest is None else highest.ledger.root.hex()


def _drive(
    world: World,
    invariants: Invariants,
    watch: Progress,
    metrics: Metrics,
    progress: Callable[[Tick], None] | None,
) -> tuple[str, str]:
    """Run in slices of virtual time; returns the verdict and its reason."""
    duration_ms = world.scenario.duration_ms
    slice_ms = max(1_000, duration_ms // SLICES)
    at_ms = 0
    # Almost everything dies by reference count: looking for cycles now and then is enough, and four times cheaper.
    thresholds = gc.get_threshold()
    gc.set_threshold(100_000, 20, 100)
    try:
        world.start()
        while at_ms < duration_ms:
            at_ms = min(duration_ms, at_ms + slice_ms)
            world.run(at_ms)
            stalled = watch.stalled()
            invariants.checks[PROGRESS] += 1
            if stalled:
                return NO_PROGRESS, stalled
            if progress is not None:
                progress(Tick(at_ms, metrics.height, world.network.deliveries))
        invariants.check_from_scratch()
    except Diverged as broken:
        return DIVERGED, str(broken)
    except OSError:
        raise
    except Exception as error:
        # Most likely a rule that a machine holds itself to: as good a find as a broken invariant, and as repeatable.
        where = traceback.extract_tb(error.__traceback__)[-1]
        return DIVERGED, f"{Path(where.filename).name}, line {where.lineno}, failed: {error!r}"
    finally:
        gc.set_threshold(*thresholds)
    waited_ms = (world.clock.now_us - metrics.last_final_us) // 1000
    bounds = Bounds(world)
    if waited_ms > bounds.progress_ms:
        why = bounds.unbound()
        return NO_PROGRESS, f"no new final block for the last {waited_ms / 1000:,.1f} s" + (why and f": {why}")
    return PASS, ""
